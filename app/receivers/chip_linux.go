package receivers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/warthog618/go-gpiocdev"
)

// openChip asks a GPIO chip what it has.
func openChip(path string) (Chip, error) {
	c, err := gpiocdev.NewChip(path)
	if err != nil {
		return Chip{}, err
	}
	defer c.Close()
	chip := Chip{Label: c.Label, Lines: c.Lines()}
	for offset := range chip.Lines {
		info, err := c.LineInfo(offset)
		if err != nil {
			return chip, err
		}
		switch name := info.Name; {
		case info.Used:
			if name == "" {
				name = fmt.Sprintf("line %d", offset)
			}
			if pulse := strings.Contains(info.Consumer, "pps"); pulse || len(chip.Used) < mostUsed {
				chip.Used = append(chip.Used, strings.TrimSpace(name+" by "+info.Consumer))
			}
		// The pins of a Raspberry Pi's header are called GPIO2 to GPIO27; 18 is where most pulse hats are.
		case chip.Example == "" && strings.HasPrefix(name, "GPIO"), name == "GPIO18":
			chip.Example = name
		}
	}
	slices.Sort(chip.Used)
	return chip, nil
}

// mostUsed is how many lines in use are named.
const mostUsed = 8
