// Package stability says how stable a clock is: Allan (ADEV), modified Allan (MDEV), Hadamard (HDEV) and time deviation
// (TDEV) and the maximum time interval error (MTIE) of a phase series, with the confidence that each figure deserves.
//
// All estimators are the fully overlapping ones of W. J. Riley, "Handbook of Frequency Stability Analysis", NIST
// Special Publication 1065 (2008), sections 5.2 (deviations) and 5.16 (MTIE). The tests hold them to every digit that
// its section 12.4 prints for the NBS14 and the 1000-point data sets.
//
// Missing points stay missing. A term of a deviation that needs one is left out and counted in [Point].Missing (the long
// means of [MDEV] bear a few); nothing is interpolated. A series may also be broken, where its zero was lost (the
// oscillator's count began anew at a reboot, a frequency was not measured): no term spans a break.
//
// Confidence intervals are 68 % (1σ) by the χ² distribution with the equivalent degrees of freedom of C. A. Greenhall
// and W. J. Riley, "Uncertainty of stability variances based on finite differences" (PTTI 2003; SP 1065 section 5.4).
// These depend on the kind of noise, which is identified at every averaging time by its lag-1 autocorrelation (Riley and
// Greenhall, EFTF 2004; SP 1065 section 5.5.6).
//
// The package is pure: it reads no clock and no file.
package stability
