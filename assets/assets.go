// Package assets holds the files that are part of the program: fonts and icon. SOURCES.md says where each comes from and
// under which licence.
package assets

import "embed"

// InterRegular is the text face, weight 400, as OpenType with CFF outlines.
//
//go:embed fonts/Inter-Regular.otf
var InterRegular []byte

// InterSemiBold is the text face, weight 600, as OpenType with CFF outlines.
//
//go:embed fonts/Inter-SemiBold.otf
var InterSemiBold []byte

// FontLicence is the licence of both fonts, which travels with every copy of them.
//
//go:embed fonts/OFL-Inter.txt
var FontLicence string

// Icon is the program's icon as PNG, 512 × 512 pixels.
//
//go:embed icon.png
var Icon []byte

// Land is a map of the world as PNG, 1440 × 720 pixels of four per degree from 180° west and 90° north on: how much of each
// is land, 0 to 255.
//
//go:embed land.png
var Land []byte

// Scenarios are what `timestation simulate station` plays, in the folder scenarios.
//
//go:embed scenarios/*.toml
var Scenarios embed.FS
