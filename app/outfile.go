package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

// writeTo lets write fill a file, or standard output if the name is empty. A file is written beside and renamed, so that
// a full disk leaves no half file under the name that was asked for.
func writeTo(output string, stdout io.Writer, write func(io.Writer) error) error {
	if output == "" {
		return buffered(stdout, write)
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
