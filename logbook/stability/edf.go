package stability

import "math"

// maxSum is how many terms the exact sum may have before the paper's approximations take over (its J_max).
const maxSum = 100

// The approximations 1/edf ≈ (a0 − a1/r)/r of Greenhall and Riley, by α from 2 down. Column 0 is the second difference
// (Allan), column 1 the third (Hadamard). {} is a noise for which the variance does not converge.
var (
	table1 = [7][2][2]float64{ // averaged phase (MDEV), all α
		{{7.0 / 9, 1.0 / 2}, {22.0 / 25, 2.0 / 3}},
		{{0.997, 0.616}, {1.141, 0.843}},
		{{1.033, 0.607}, {1.184, 0.848}},
		{{1.048, 0.534}, {1.180, 0.816}},
		{{1.302, 0.535}, {1.175, 0.777}},
		{{}, {1.194, 0.703}},
		{{}, {1.489, 0.702}},
	}
	table2 = [7][2][2]float64{ // unaveraged phase
		{{35.0 / 18, 1}, {231.0 / 100, 3.0 / 2}},
		{{790, 410}, {9950, 6520}},
		{{2.0 / 3, 1.0 / 3}, {7.0 / 9, 1.0 / 2}},
		{{0.852, 0.375}, {0.997, 0.617}},
		{{1.079, 0.368}, {1.033, 0.607}},
		{{}, {1.053, 0.553}},
		{{}, {1.302, 0.535}},
	}
	table3 = [2][2]float64{{15.23, 12}, {47.8, 40}} // b0 + b1·ln m, unaveraged, α = 1
)

// degreesOfFreedom is the equivalent degrees of freedom of a fully overlapping variance of the given difference order
// (2 or 3) with this many terms at averaging factor m, for noise of exponent alpha: the combined algorithm of Greenhall
// and Riley, "full version", with the stride S = m. It is 1 or more.
func degreesOfFreedom(alpha, order, m, terms int, averaged bool) float64 {
	e := edf{alpha: alpha, order: order, filter: float64(m), stride: float64(m)}
	r := float64(terms) / float64(m)
	j := min(float64(terms), float64((order+1)*m))
	a := table2[2-alpha][order-2]
	scale := 1.0
	switch {
	case averaged:
		e.filter = 1
		a = table1[2-alpha][order-2]
	case alpha == 2:
		return max(1, float64(terms)/whitePhase(order, r))
	case alpha == 1 && j > maxSum:
		b := table3[order-2]
		scale = math.Pow(b[0]+b[1]*math.Log(float64(m)), 2)
	case alpha <= 0 && m*(order+1) > maxSum:
		e.filter = math.Inf(1)
	}
	var inverse float64
	switch {
	case j <= maxSum:
		inverse = e.sum(int(j), terms) / (square(e.sz(0)) * float64(terms))
	case r > float64(order+1):
		inverse = (a[0] - a[1]/r) / r / scale
	default:
		e.stride = maxSum / r
		if alpha == 1 && !averaged {
			e.filter = e.stride
		} else {
			scale = square(e.sz(0))
		}
		inverse = e.sum(maxSum, maxSum) / (scale * maxSum)
	}
	return max(1, 1/inverse)
}

// whitePhase is terms/edf for unaveraged white phase noise: differences of order d then are only alike at whole
// multiples of τ, where their binomial weights meet.
func whitePhase(order int, r float64) float64 {
	binomials := map[int][]float64{2: {6, 4, 1}, 3: {20, 15, 6, 1}}[order]
	sum := 1.0
	for k := 1; k <= order && float64(k) < r; k++ {
		sum += 2 * (1 - float64(k)/r) * square(binomials[k]/binomials[0])
	}
	return sum
}

// edf holds what the generalised autocovariances of Greenhall and Riley depend on. Time is in units of τ.
type edf struct {
	alpha, order   int
	filter, stride float64
}

// sum is the paper's BasicSum(J, M): the squared autocovariances of all pairs of terms.
func (e edf) sum(j, m int) float64 {
	total := square(e.sz(0)) + (1-float64(j)/float64(m))*square(e.sz(float64(j)/e.stride))
	for i := 1; i < j; i++ {
		total += 2 * (1 - float64(i)/float64(m)) * square(e.sz(float64(i)/e.stride))
	}
	return total
}

// sz is the autocovariance of the difference of the given order.
func (e edf) sz(t float64) float64 {
	switch e.order {
	case 1:
		return 2*e.sx(t) - e.sx(t-1) - e.sx(t+1)
	case 2:
		return 6*e.sx(t) - 4*(e.sx(t-1)+e.sx(t+1)) + e.sx(t-2) + e.sx(t+2)
	}
	return 20*e.sx(t) - 15*(e.sx(t-1)+e.sx(t+1)) + 6*(e.sx(t-2)+e.sx(t+2)) - e.sx(t-3) - e.sx(t+3)
}

// sx is that of the phase after the filter; an infinite filter factor is the limit of many points in τ.
func (e edf) sx(t float64) float64 {
	if math.IsInf(e.filter, 1) {
		return sw(t, e.alpha+2)
	}
	h := 1 / e.filter
	return e.filter * e.filter * (2*sw(t, e.alpha) - sw(t-h, e.alpha) - sw(t+h, e.alpha))
}

// sw is that of continuous power-law noise of exponent alpha, summed once more.
func sw(t float64, alpha int) float64 {
	t = math.Abs(t)
	power := math.Pow(t, float64(3-alpha))
	switch {
	case alpha == 2:
		return -t
	case alpha%2 == 0:
		return power
	case t == 0:
		return 0
	}
	return power * math.Log(t)
}

func square(x float64) float64 { return x * x }
