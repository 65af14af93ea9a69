package openai

import "strings"

// languageCode turns Whisper's English name of a language into its code. Codes
// pass; names of languages that are rarely taught give "".
func languageCode(name string) string {
	name = strings.ToLower(name)
	switch name {
	case "arabic":
		return "ar"
	case "catalan":
		return "ca"
	case "chinese", "mandarin":
		return "zh"
	case "czech":
		return "cs"
	case "danish":
		return "da"
	case "dutch":
		return "nl"
	case "english":
		return "en"
	case "finnish":
		return "fi"
	case "french":
		return "fr"
	case "german":
		return "de"
	case "greek":
		return "el"
	case "hebrew":
		return "he"
	case "hindi":
		return "hi"
	case "hungarian":
		return "hu"
	case "indonesian":
		return "id"
	case "italian":
		return "it"
	case "japanese":
		return "ja"
	case "korean":
		return "ko"
	case "norwegian":
		return "no"
	case "persian":
		return "fa"
	case "polish":
		return "pl"
	case "portuguese":
		return "pt"
	case "romanian":
		return "ro"
	case "russian":
		return "ru"
	case "spanish", "castilian":
		return "es"
	case "swahili":
		return "sw"
	case "swedish":
		return "sv"
	case "thai":
		return "th"
	case "turkish":
		return "tr"
	case "ukrainian":
		return "uk"
	case "vietnamese":
		return "vi"
	}
	if len(name) == 2 {
		return name
	}
	return ""
}
