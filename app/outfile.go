package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

// writeTo lets write fill a file, or standard output if the name is empty. A file is written beside and renamed, so that
// a full disk leaves no half file under the name that was asked for. What is no plain file, such as /dev/null or a pipe,
// is written to and never replaced.
func writeTo(output string, stdout io.Writer, write func(io.Writer) error) error {
	if output == "" {
		return buffered(stdout, write)
	}
	if info, err := os.Stat(output); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(output, os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("--output: %w", err)
		}
		return errors.Join(buffered(f, write), f.Close())
	}
	f, err := os.Create(output + ".part")
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	if err := errors.Join(buffered(f, write), f.Close()); err != nil {
		os.Remove(f.Name())
		return err
	}
	return os.Rename(f.Name(), output)
}

func buffered(w io.Writer, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(w, 1<<16)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}
