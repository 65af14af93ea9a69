// Package session is one live conversation between a learner and the tutor.
package session
