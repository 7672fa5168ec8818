package report

// Unit is a unit of systemd as its files on the node have it, systemd.unit(5).
type Unit struct {
	Name string `json:"name"`
	// User: it is one of a user's manager, systemd --user, by the files that the
	// node has for all users. What users have in their homes is not read.
	User bool `json:"user,omitempty"`
	// Masked: it is a link to /dev/null, and cannot be started anew.
	Masked bool `json:"masked,omitempty"`
	// Files are its fragment and then its drop-ins, in the order in which they
	// apply. None: systemd knows it without any file (a transient unit that is
	// gone, a scope), or nothing could be read.
	Files []UnitFile `json:"files,omitempty"`
}

// UnitFile is what matters of one file.
type UnitFile struct {
	Path     string    `json:"path"`
	Settings []Setting `json:"settings,omitempty"`
}

// Setting is one assignment, in the file's order. An empty value resets.
type Setting struct {
	Section string `json:"section,omitempty"`
	Key     string `json:"key"`
	Value   string `json:"value"`
}

// Timer is a timer unit that starts one of the units.
type Timer struct {
	Unit
	// Starts is the unit that it starts.
	Starts string `json:"starts"`
	// WantedBy are the directories that enable it (timers.target.wants); none:
	// it runs only where somebody or something else started it, or a user has
	// enabled it for himself.
	WantedBy []string `json:"wantedBy,omitempty"`
	// Stamp is when systemd last wrote the timer's stamp file, seconds since
	// 1970; nil: there is none, as for a timer that is not persistent.
	Stamp *int64 `json:"stamp,omitempty"`
}
