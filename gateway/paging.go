package gateway

import "fmt"

// maxOffset is the deepest page: a database walks over all that it skips.
const maxOffset = 100_000

// pageRange is the part of a list that a request wants.
type pageRange struct{ limit, offset int }

// page reads limit (1 to maxLimit, defaultLimit when it is not there) and offset (0 or
// more). Anything else is a fault of the parameter.
func (q *query) page(defaultLimit, maxLimit int) pageRange {
	return pageRange{
		limit:  q.integer("limit", defaultLimit, 1, maxLimit),
		offset: q.integer("offset", 0, 0, maxOffset),
	}
}

// pageParameters describes what page reads.
func pageParameters(defaultLimit, maxLimit int) []parameter {
	return []parameter{
		{name: "limit", about: fmt.Sprintf("How many at most, up to %d.", maxLimit),
			shape: defaultLimit, min: new(1), max: new(maxLimit)},
		{name: "offset", about: "How many to skip.", shape: 0, min: new(0), max: new(maxOffset)},
	}
}
