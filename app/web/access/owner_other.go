//go:build !unix

package access

import "os"

const ownersOnly = false

func giveTo(*os.File, string) {}
