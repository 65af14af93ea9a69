package cutting

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// cutUp streams a text in steps of so many bytes, at the ends of characters, and returns
// its pieces.
func cutUp(language, text string, step int) (pieces []string) {
	c := New(language)
	for len(text) > 0 {
		n := min(step, len(text))
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n++
		}
		c.Write(text[:n])
		text = text[n:]
		for piece, ok := c.Next(); ok; piece, ok = c.Next() {
			pieces = append(pieces, piece)
		}
	}
	if rest := c.Rest(); rest != "" {
		pieces = append(pieces, rest)
	}
	return pieces
}

func TestCut(t *testing.T) {
	for name, c := range map[string]struct{ language, want string }{
		"sentences":             {"en", "Hello there. |How are you? |I am fine."},
		"an interjection first": {"es", "¡Muy bien! |¿Y para qué hora la quiere?"},
		"a comma first":         {"de", "Sehr gut, |dann nehmen wir den Zug um acht."},
		"two syllables":         {"es", "Claro, |una mesa para dos."},
		"torn off it is ugly":   {"es", "Pero, la mesa es para dos."},
		"no lone conjunction":   {"es", "Y, además, |una mesa."},
		"short start":           {"en", "Yes, a table for two at eight."},
		"later commas":          {"en", "Good. |Today we have fish, chicken, a very good vegetable soup, |and bread."},
		"without a mark":        {"de", "Der nächste Zug nach Berlin fährt heute |um acht Uhr zwanzig von Gleis drei."},
		"not behind an article": {"es", "El restaurante tiene muchas cosas |para el desayuno y la cena de todos los días."},

		"title":              {"en", "Please ask Dr. Smith about it. |He knows."},
		"titles in Spanish":  {"es", "Pregunte a la Sra. García, |o al Sr. Pérez. |Ellos saben."},
		"p. ej.":             {"es", "Por la mañana, |p. ej. a las diez. |¿Le va bien?"},
		"EE. UU.":            {"es", "Soy de los EE. UU. y vivo aquí. |¿Y usted?"},
		"z. B.":              {"de", "Nehmen Sie z. B. Brot, |d. h. etwas Kleines. |Gern?"},
		"z.B.":               {"de", "Nehmen Sie z.B. Brot usw. mit. |Gern?"},
		"usw. at the end":    {"de", "Wir haben Brot, |Käse usw. |Was möchten Sie?"},
		"ordinal":            {"de", "Am 3. Mai war das. |Gut."},
		"a year is none":     {"de", "Das war im Jahr 1990. |Und heute?"},
		"Nr.":                {"de", "Zimmer Nr. 12 ist frei. |Gut?"},
		"Mme":                {"fr", "Bonjour Mme. Dupont, |asseyez-vous. |Merci."},
		"M.":                 {"fr", "Voici M. Dupont ! |Il est là."},
		"S.A.":               {"es", "Trabajo en Telas S.A. desde mayo. |¿Y usted?"},
		"a.m.":               {"en", "We open at 8 a.m. on Mondays. |Is that fine?"},
		"a.m. at the end":    {"en", "We open at 8 a.m. |Is that fine?"},
		"initials":           {"en", "That is J. R. Tolkien. |Do you know him?"},
		"I":                  {"en", "So do I. |And you?"},
		"etc.":               {"fr", "Du pain, |du vin, etc. |Et vous ?"},
		"и т. д.":            {"ru", "Хлеб, сыр, |вода и т. д. |Что вы хотите?"},
		"г. and ул.":         {"ru", "Он живёт на ул. Ленина с 2020 г. и работает. |А вы?"},
		"т. е.":              {"ru", "Завтра, |т. е. в среду. |Хорошо?"},
		"doctor in Arabic":   {"ar", "هذا د. أحمد. |كيف حالك؟"},
		"unlisted, going on": {"en", "It is on the prom. next to us. |Nice?"},

		"numbers":         {"en", "It costs 3.50 today. |Or 1,000 tomorrow at 10:30. |Good?"},
		"German numbers":  {"de", "Das kostet 1.000,50 Euro. |Gut?"},
		"number at end":   {"es", "Tengo 25. |¿Y tú?"},
		"a list":          {"en", "1. Fish. |2. Soup."},
		"counted":         {"en", "Repeat: |1, 2, 3, 4, 5."},
		"address":         {"en", "Write to j.doe@example.org or see https://example.org/a,b?c. |Thanks."},
		"decimal comma":   {"es", "Son 3,5 kilos. |¿Vale?"},
		"no such thing":   {"en", "Really?yes. |No."},
		"spaced thousand": {"fr", "Cela fait 10 000 euros. |D'accord ?"},

		"ellipsis goes on":    {"en", "Well… let me see… |good."},
		"three dots go on":    {"es", "Bueno... |déjame pensar. |Sí."},
		"an ellipsis ends":    {"en", "I see... |Tell me more."},
		"leading ellipsis":    {"en", "...and then? |Go on."},
		"runs of marks":       {"en", "What?! |No!!! |Really?.. |Yes."},
		"quotes close":        {"en", "He said “no.” |Then he left."},
		"said in quotes":      {"en", "“Really?” she asked. |Yes."},
		"French quotes":       {"fr", "Il dit «non». |Puis il part."},
		"brackets":            {"es", "(Es una broma.) |¿Entiende?"},
		"dash":                {"en", "Of course – |with pleasure."},
		"hyphen":              {"en", "A well-known ice-cream. |Good?"},
		"dialogue dash":       {"es", "—Hola —dijo él. |Y se fue."},
		"Spanish inner marks": {"es", "¡Hola! |¿Qué tal?"},
		"glued":               {"es", "¡Hola!|¿Qué tal?"},

		"Japanese":                {"ja", "こんにちは。|お元気ですか？|はい。"},
		"Japanese comma":          {"ja", "そうですね、|今日はいい天気です。"},
		"Japanese, too short":     {"ja", "はい、そうです。"},
		"Japanese quote":          {"ja", "彼は「行くよ。」と言いました。|そうですか。"},
		"Japanese number":         {"ja", "それは３，０００円です。|いいですか。"},
		"Japanese without a mark": {"ja", "今日は駅の前の大きいレストランで|友達と一緒に晩ご飯を食べます"},
		"Chinese":                 {"zh", "好的，|我们今天有鱼和鸡肉。|您想吃什么？"},
		"Chinese without a mark":  {"zh", "我今天早上很早就起床去上班了|因为路上的车特别多"},
		"Korean":                  {"ko", "네, 좋아요. |몇 시에 오세요?"},
		"Korean without a mark":   {"ko", "저는 어제 친구를 만나서 영화를 봤는데 |그 영화가 정말로 아주 재미있었어요."},
		"Arabic":                  {"ar", "مرحبا بك، |كيف حالك؟ |أنا بخير، والحمد لله."},
		"unknown language":        {"xx", "Hello, |there. |Fine."},
	} {
		t.Run(name, func(t *testing.T) {
			want := strings.Split(c.want, "|")
			text := strings.Join(want, "")
			for _, step := range []int{1, 3, 7, len(text)} {
				if got := cutUp(c.language, text, step); !slices.Equal(got, want) {
					t.Errorf("in steps of %d: %q, want %q", step, got, want)
				}
			}
		})
	}
}
