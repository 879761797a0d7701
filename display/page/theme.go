package page

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Theme is Fyne's own with the ground of the pages as background. Fyne clears the window with it before it paints, so that
// a page need not fill the screen once more, which would be half of the work of a frame on a machine that paints without
// a graphics card.
func Theme(ground color.NRGBA) fyne.Theme { return groundTheme{theme.DefaultTheme(), ground} }

type groundTheme struct {
	fyne.Theme
	ground color.NRGBA
}

func (t groundTheme) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	if name == theme.ColorNameBackground {
		return t.ground
	}
	return t.Theme.Color(name, variant)
}
