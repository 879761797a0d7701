//go:build board && linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"timestation/app/scenario"
)

func main() {
	if err := play(); err != nil {
		fmt.Fprintln(os.Stderr, "world: "+err.Error())
		os.Exit(1)
	}
}

// onBoard refuses any machine but the board: the world sets the system clock.
func onBoard() error {
	line, err := os.ReadFile("/proc/cmdline")
	if err != nil || !strings.Contains(" "+strings.TrimSpace(string(line))+" ", " timestation.board ") {
		return fmt.Errorf("this sets the system clock and runs on the virtual board only; start it with: make board")
	}
	return nil
}

// play plays the scenario that is named, until it is interrupted.
func play() error {
	if err := onBoard(); err != nil {
		return err
	}
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: world SCENARIO.toml")
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	s, err := scenario.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", os.Args[1], err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	w, err := Begin(ctx, s)
	if err != nil {
		return err
	}
	return w.End()
}
