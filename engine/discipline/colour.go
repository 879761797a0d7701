package discipline

import "math"

// colour learns whether a source's noise is white. A serial sentence's delay wanders for minutes with the satellites in
// view, and then many samples tell no more than a few: the sums of the samples' scores over blocks scatter more than they
// would if each were an error of its own. It compares the two over blocks of several lengths.
type colour struct {
	square, samples float64
	sums            [len(colourBlocks)]float64
	filled          [len(colourBlocks)]int
	scatter, blocks [len(colourBlocks)]float64
}

// colourBlocks are the lengths, in samples; colourMemory is over how many blocks their scatter is learned.
var colourBlocks = [...]int{16, 64, 256}

const colourMemory = 300

func (c *colour) observe(score float64) {
	c.samples = math.Min(c.samples+1, colourMemory*float64(colourBlocks[len(colourBlocks)-1]))
	c.square += (score*score - c.square) / c.samples
	for i, length := range colourBlocks {
		c.sums[i] += score
		if c.filled[i]++; c.filled[i] < length {
			continue
		}
		c.blocks[i] = math.Min(c.blocks[i]+1, colourMemory)
		c.scatter[i] += (c.sums[i]*c.sums[i]/float64(length) - c.scatter[i]) / c.blocks[i]
		c.sums[i], c.filled[i] = 0, 0
	}
}

// excess is by how much the variance of the estimate is beyond that of white noise, as a factor; 1 while the samples do
// not show more for certain.
func (c *colour) excess() float64 {
	const few = 6 // blocks
	most := 1.0
	for i, n := range c.blocks {
		if n >= few && c.square > 0 {
			most = math.Max(most, c.scatter[i]/c.square/(1+3*math.Sqrt(2/n)))
		}
	}
	return most
}
