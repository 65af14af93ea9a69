package token

import (
	_ "embed"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The length of a password, in characters. There are no rules about which characters:
// such rules make passwords harder to remember and no harder to guess.
const (
	MinPassword = 8
	MaxPassword = 128
)

// commonPasswords holds, one a line, sorted and in lower case, the passwords of eight
// characters or more that guessers try first.
//
//go:embed common_passwords.txt
var commonPasswords string

// CheckPassword says why a password may not be chosen, in words for its owner, or
// returns "" when it may. It looks at new passwords alone: a login is never refused
// by today's rules.
func CheckPassword(password string) string {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return "must be valid UTF-8"
	case n < MinPassword:
		return fmt.Sprintf("must have at least %d characters", MinPassword)
	case n > MaxPassword:
		return fmt.Sprintf("must have at most %d characters", MaxPassword)
	case isCommon(password):
		return "is one of the most common passwords, please choose another"
	}
	return ""
}

func isCommon(password string) bool {
	password = strings.ToLower(password)
	for line := range strings.Lines(commonPasswords) {
		if strings.TrimSuffix(line, "\n") == password {
			return true
		}
	}
	return false
}
