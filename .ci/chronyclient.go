//go:build ignore

// Asks a chronyd's command port what github.com/SuperQ/chrony_exporter asks, with the library that that does it with, and
// prints each answer as a line of JSON. It is built in a module of its own, by .ci/peers: neither belongs to the program.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/facebook/time/ntp/chrony"
)

func main() {
	if err := ask(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ask(address string) error {
	conn, err := net.Dial("udp", address)
	if err != nil {
		return err
	}
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	client := chrony.Client{Sequence: 1, Connection: conn}
	questions := []chrony.RequestPacket{
		chrony.NewTrackingPacket(), chrony.NewServerStatsPacket(), chrony.NewActivityPacket(), chrony.NewSourcesPacket(),
	}
	for i := 0; i < len(questions); i++ {
		answer, err := client.Communicate(questions[i])
		if err != nil {
			return fmt.Errorf("%T: %w", questions[i], err)
		}
		if sources, ok := answer.(*chrony.ReplySources); ok {
			for n := range int32(sources.NSources) {
				questions = append(questions, chrony.NewSourceDataPacket(n), chrony.NewSourceStatsPacket(n))
			}
		}
		line, err := json.Marshal(map[string]any{fmt.Sprintf("%T", answer): answer})
		if err != nil {
			return err
		}
		fmt.Println(string(line))
	}
	return nil
}
