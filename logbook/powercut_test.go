package logbook

import (
	"bytes"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"timestation/refclock"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// unsynced is a file as a power cut may leave it: of what changed between two states with no fsync in between, each
// sector got to the disk or did not, and so did the new length.
func unsynced(random *rand.Rand, before, after []byte) []byte {
	left := bytes.Clone(before)
	if random.IntN(2) == 0 && len(after) > len(left) {
		left = append(left, make([]byte, len(after)-len(left))...)
	}
	some := random.Float64() // from nearly nothing to nearly all
	for at := 0; at < min(len(left), len(after)); at += sector {
		if random.Float64() < some {
			copy(left[at:min(at+sector, len(left))], after[at:])
		}
	}
	return left
}

// walHeader is what SQLite syncs before it begins to write over an old WAL.
const walHeader = 32

// The power goes at any moment: what the disk got of the unsynced writes is random, sector by sector. The log opens, is
// sound, its chain is whole, and no more than the batch that was being written is missing. The moments: a commit appends
// to the WAL, syncs it, and the batch counts as written; a checkpoint then copies pages from the WAL to the file, and
// until those are synced the WAL stays. TIMESTATION_MEASURE=1 cuts it two thousand times.
func TestPowerCut(t *testing.T) {
	cuts := 60
	if os.Getenv("TIMESTATION_MEASURE") != "" {
		cuts = 2000
	}
	random := rand.New(rand.NewPCG(5, 6))
	const batches = 25
	missing, checkpoints, restarts := 0, 0, 0
	for done := 0; done < cuts; {
		dir := t.TempDir()
		b, err := open(dir, DefaultConfig(), &alertList{}, slog.New(slog.DiscardHandler),
			append(writerPragmas[:len(writerPragmas):len(writerPragmas)], "wal_autocheckpoint(9)"))
		if err != nil {
			t.Fatal(err)
		}
		state := func() (db, wal []byte) {
			db, err := os.ReadFile(filepath.Join(dir, FileName))
			if err == nil {
				wal, err = os.ReadFile(filepath.Join(dir, FileName+"-wal"))
			}
			if err != nil {
				t.Fatal(err)
			}
			return db, wal
		}
		for n := 1; n <= batches && done < cuts; n++ {
			db, wal := state()
			if err := b.store.write(numberedBatch(n)); err != nil {
				t.Fatal(err)
			}
			dbAfter, walAfter := state()
			if n == 1 || random.IntN(4) > 0 {
				continue
			}
			done++
			least := n - 1
			switch restarted := !bytes.Equal(wal[:walHeader], walAfter[:walHeader]); {
			case !bytes.Equal(db, dbAfter) && random.IntN(2) == 0:
				checkpoints++
				db, wal, least = unsynced(random, db, dbAfter), walAfter, n
			case restarted:
				restarts++
				wal = append(bytes.Clone(walAfter[:walHeader]), unsynced(random, wal[walHeader:], walAfter[walHeader:])...)
			default:
				wal = unsynced(random, wal, walAfter)
			}
			left := t.TempDir()
			for suffix, content := range map[string][]byte{"": db, "-wal": wal} {
				if err := os.WriteFile(filepath.Join(left, FileName+suffix), content, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			last := checkBatches(t, left, least)
			if last > n {
				t.Fatalf("batch %d is there, %d was the last", last, n)
			}
			missing += n - last
		}
		b.Close()
	}
	t.Logf("%d power cuts, %d of them in a checkpoint and %d where the WAL began anew: 0 damaged files, 0 written batches "+
		"lost, the batch being written was missing %d times", cuts, checkpoints, restarts, missing)
	if checkpoints == 0 || restarts == 0 || missing == 0 || missing == cuts {
		t.Error("the model does not cut everywhere")
	}
}

// numberedBatch is one batch, with its number in TAIMinusUTC.
func numberedBatch(n int) (records []record) {
	st := newWorld().Status()
	for i := range rowsInBatch {
		row := rowsOf(st, refclock.Stamp(n))[i%3]
		row.TAIMinusUTC = int32(n)
		records = append(records, row)
	}
	return records
}
