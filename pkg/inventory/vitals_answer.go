package inventory

// VitalsAnswer is Vitals with what they come to.
type VitalsAnswer struct {
	// Verdict is where starts of pods hang; "": these do not tell.
	Verdict string `json:"verdict,omitempty"`
	// Facts are all of it in words, what is out of order first.
	Facts []Fact `json:"facts"`
	*Vitals
}

// Answer judges vitals by themselves, without a pod of the caller's.
func (v *Vitals) Answer() VitalsAnswer {
	return VitalsAnswer{Verdict: v.Verdict(nil), Facts: v.Facts(), Vitals: v}
}
