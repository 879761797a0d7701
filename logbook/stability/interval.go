package stability

import "math"

// sigma1 is the probability that a normal variable stays within 1σ.
var sigma1 = math.Erf(1 / math.Sqrt2)

// interval is the 68 % confidence interval of a deviation with edf degrees of freedom (SP 1065 section 5.3.1):
// edf·s²/σ² is distributed as χ².
func interval(deviation, edf float64) (low, high float64) {
	return deviation * math.Sqrt(edf/chiSquared((1+sigma1)/2, edf)),
		deviation * math.Sqrt(edf/chiSquared((1-sigma1)/2, edf))
}

// chiSquared is the value that a χ² variable with k ≥ 1 degrees of freedom, not necessarily whole, stays below with
// probability p. It begins with the approximation of Wilson and Hilferty and takes Newton's steps.
func chiSquared(p, k float64) float64 {
	x := k * math.Pow(max(1-2/(9*k)+math.Sqrt2*math.Erfinv(2*p-1)*math.Sqrt(2/(9*k)), 0.05), 3)
	logGamma, _ := math.Lgamma(k / 2)
	for range 50 {
		density := math.Exp((k/2-1)*math.Log(x/2)-x/2-logGamma) / 2
		step := (gammaP(k/2, x/2) - p) / density
		next := max(x-step, x/4)
		if math.Abs(next-x) <= 1e-10*x {
			return next
		}
		x = next
	}
	return x
}

// gammaP is the regularised lower incomplete gamma function P(a, x), by its series or, right of the mode, by the
// continued fraction of its complement (Abramowitz and Stegun 6.5.29, 6.5.31).
func gammaP(a, x float64) float64 {
	if x <= 0 {
		return 0
	}
	logGamma, _ := math.Lgamma(a)
	front := math.Exp(a*math.Log(x) - x - logGamma)
	if x < a+1 {
		term := 1 / a
		sum := term
		for n := a + 1; term > sum*1e-16; n++ {
			term *= x / n
			sum += term
		}
		return front * sum
	}
	// Lentz's method.
	b := x + 1 - a
	c, d := math.Inf(1), 1/b
	fraction := d
	for i := 1.0; i < 1e6; i++ {
		n := i * (a - i)
		b += 2
		d = 1 / (b + n*d)
		c = b + n/c
		fraction *= c * d
		if math.Abs(c*d-1) < 1e-15 {
			break
		}
	}
	return 1 - front*fraction
}
