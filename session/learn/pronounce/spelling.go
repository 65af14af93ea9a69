package pronounce

import (
	"strconv"
	"strings"
	"unicode"
)

// plain writes typographic variants of one character as one: apostrophes, letters and digits
// of full width, and Latin letters that were sent apart from their accents.
func plain(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	last := rune(-1)
	flush := func() {
		if last >= 0 {
			b.WriteRune(last)
		}
	}
	for _, r := range s {
		switch {
		case r == '’' || r == '‘' || r == 'ʼ' || r == '＇' || r == '`' || r == '´':
			r = '\''
		case r >= '！' && r <= '～' && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			r -= 0xFEE0
		}
		if joined, ok := joinedAccent(last, r); ok {
			last = joined
			continue
		}
		flush()
		last = r
	}
	flush()
	return b.String()
}

// joinedAccent is a letter with the accent that follows it, where one character is both.
func joinedAccent(letter, accent rune) (rune, bool) {
	const bases = "aeiouncyAEIOUNCY"
	var with string // in the order of bases, a blank where there is none
	switch accent {
	case 0x0300:
		with = "àèìòùǹ  ÀÈÌÒÙǸ  "
	case 0x0301:
		with = "áéíóúńćýÁÉÍÓÚŃĆÝ"
	case 0x0302:
		with = "âêîôû ĉŷÂÊÎÔÛ ĈŶ"
	case 0x0303:
		with = "ãẽĩõũñ ỹÃẼĨÕŨÑ Ỹ"
	case 0x0308:
		with = "äëïöü  ÿÄËÏÖÜ  Ÿ"
	case 0x0327:
		with = "      ç       Ç "
	default:
		return 0, false
	}
	at := strings.IndexRune(bases, letter)
	if letter < 0 || at < 0 {
		return 0, false
	}
	joined := []rune(with)[at]
	return joined, joined != ' '
}

// orthography writes one way what a language writes in two.
func orthography(language, s string) string {
	switch language {
	case "de":
		return strings.ReplaceAll(s, "ß", "ss")
	case "ru":
		return strings.ReplaceAll(s, "ё", "е")
	case "ar":
		return strings.Map(func(r rune) rune {
			switch {
			case unicode.IsMark(r) || r == 'ـ':
				return -1
			case r == 'أ' || r == 'إ' || r == 'آ' || r == 'ٱ':
				return 'ا'
			case r == 'ى':
				return 'ي'
			}
			return r
		}, s)
	}
	return s
}

// numeral writes a whole number up to 99 as the words for it, in languages whose words are
// known here; larger ones are compared as digits.
func numeral(language, s string) ([]token, bool) {
	if len(s) > 2 || s == "" || strings.Trim(s, "0123456789") != "" {
		return nil, false
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return nil, false
	}
	words, ok := spelled(language, n)
	if !ok {
		return nil, false
	}
	var out []token
	for _, w := range words {
		out = append(out, token{text: orthography(language, w), others: numberForms(language, w)})
	}
	return out, true
}

// numberForms are the other forms of a word for a number: un and una beside uno.
func numberForms(language, word string) []string {
	switch language + " " + word {
	case "es uno", "it uno":
		return []string{"un", "una"}
	case "fr un":
		return []string{"une"}
	case "de eins":
		return []string{"ein", "eine", "einen", "einem", "einer"}
	case "de zwei":
		return []string{"zwo"}
	case "pt um":
		return []string{"uma"}
	case "pt dois":
		return []string{"duas"}
	case "en zero":
		return []string{"oh"}
	case "zh 二":
		return []string{"两"}
	}
	return nil
}

// small are the words for 0 to 20, tens those for 20, 30 and so on.
func small(language string) (small, tens []string) {
	list := strings.Fields
	switch language {
	case "en":
		return list("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"),
			list("twenty thirty forty fifty sixty seventy eighty ninety")
	case "es":
		return list("cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte"),
			list("veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa")
	case "fr":
		return list("zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf vingt"),
			list("vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt")
	case "de":
		return list("null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig"),
			list("zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig")
	case "it":
		return list("zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove venti"),
			list("venti trenta quaranta cinquanta sessanta settanta ottanta novanta")
	case "pt":
		return list("zero um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis dezessete dezoito dezenove vinte"),
			list("vinte trinta quarenta cinquenta sessenta setenta oitenta noventa")
	}
	return nil, nil
}

// spelled is a number up to 99 in words, one for each token.
func spelled(language string, n int) ([]string, bool) {
	if language == "zh" || language == "ja" {
		return ideographs(n), true
	}
	low, tens := small(language)
	if low == nil {
		return nil, false
	}
	if n <= 20 {
		return strings.Split(low[n], "-"), true
	}
	ten, one := tens[n/10-2], n%10
	switch {
	case language == "fr":
		return french(n, ten, low), true
	case one == 0:
		return []string{ten}, true
	case language == "es" && n < 30:
		return []string{"veinti" + accented(low[one])}, true
	case language == "es":
		return []string{ten, "y", low[one]}, true
	case language == "pt":
		return []string{ten, "e", low[one]}, true
	case language == "de":
		return []string{strings.TrimSuffix(low[one], suffixOfOne(one)) + "und" + ten}, true
	case language == "it":
		return []string{italian(ten, one, low[one])}, true
	}
	return []string{ten, low[one]}, true
}

// accented is how dos, tres and seis end a longer word.
func accented(word string) string {
	switch word {
	case "dos":
		return "dós"
	case "tres":
		return "trés"
	case "seis":
		return "séis"
	}
	return word
}

// suffixOfOne is what einundzwanzig has lost of eins.
func suffixOfOne(one int) string {
	if one == 1 {
		return "s"
	}
	return ""
}

// italian joins: ventuno, ventotto, ventitré.
func italian(ten string, one int, word string) string {
	switch one {
	case 1, 8:
		return ten[:len(ten)-1] + word
	case 3:
		return ten + "tré"
	}
	return ten + word
}

// french counts on from sixty to seventy-nine and from eighty to ninety-nine.
func french(n int, ten string, low []string) []string {
	out := strings.Split(ten, "-")
	rest := n % 10
	if n >= 70 && n < 80 || n >= 90 {
		rest += 10
	}
	switch {
	case n == 80:
		return []string{"quatre", "vingts"}
	case rest == 0:
		return out
	case rest%10 == 1 && n < 80:
		out = append(out, "et")
	}
	return append(out, strings.Split(low[rest], "-")...)
}

// ideographs writes a number in Chinese characters, each of which is a token.
func ideographs(n int) []string {
	digits := []string{"零", "一", "二", "三", "四", "五", "六", "七", "八", "九"}
	var out []string
	if n >= 20 {
		out = append(out, digits[n/10])
	}
	if n >= 10 {
		out = append(out, "十")
	}
	if n < 10 || n%10 > 0 {
		out = append(out, digits[n%10])
	}
	return out
}
