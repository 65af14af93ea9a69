package drafts

const (
	// memory is how much of the past is kept with each new draft: about eight count.
	memory = 7.0 / 8
	// enough is how much must be remembered before it is judged.
	enough = 4.0
	// poor is the share of released drafts below which they stand down.
	poor = 0.4
	// firstWait and longestWait bound the turns from one try to the next meanwhile.
	firstWait, longestWait = 2, 16
)

// Habit is how a learner's drafts fared, the latest counting most. The zero value
// knows nothing.
type Habit struct {
	// Started and Released are sums that forget: an eighth with each draft.
	Started, Released float64
}

// Share is how many of the drafts were released, from 0 to 1; 1 while nothing is known.
func (h Habit) Share() float64 {
	if h.Started <= 0 {
		return 1
	}
	return max(0, min(h.Released/h.Started, 1))
}

// record judges a learner's drafts by their habit.
type record struct {
	habit Habit
	wait  int // turns until the next try, while drafts stand down
	grows int // the wait after a try that is dropped
}

// newRecord takes a remembered habit for as much as could have been learnt here.
func newRecord(h Habit) record {
	const most = 1 / (1 - memory)
	share := h.Share()
	started := max(0, min(h.Started, most))
	return record{habit: Habit{Started: started, Released: started * share}, wait: firstWait, grows: firstWait}
}

// poor says whether drafts miss so often that they should not be made.
func (r *record) poor() bool { return r.habit.Started >= enough && r.habit.Share() < poor }

// standsDown says whether no draft is to be made now.
func (r *record) standsDown() bool { return r.poor() && r.wait > 0 }

// turn counts a turn towards the next try.
func (r *record) turn() {
	if r.poor() {
		r.wait = max(0, r.wait-1)
	}
}

// note takes a draft's fate.
func (r *record) note(released bool) {
	r.habit.Started = r.habit.Started*memory + 1
	r.habit.Released *= memory
	if released {
		r.habit.Released++
		r.wait, r.grows = 0, firstWait
		return
	}
	if r.poor() {
		r.wait = r.grows
		r.grows = min(2*r.grows, longestWait)
	}
}
