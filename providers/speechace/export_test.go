package speechace

import "kalami/providers"

// Read reads an answer, for its fuzz test.
func Read(raw []byte) (providers.Judgement, error) { return read(raw, "en") }
