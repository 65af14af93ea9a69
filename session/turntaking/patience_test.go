package turntaking

import (
	"testing"
	"time"

	"kalami/session/learn"
)

func TestPatience(t *testing.T) {
	const base = 1500 * time.Millisecond
	stretched, shrunk := 2625*time.Millisecond, 900*time.Millisecond
	for _, c := range []struct {
		language, text string
		asked          bool
		want           time.Duration
	}{
		{"es", "Ayer fui al mercado.", false, base},
		{"es", "Ayer fui al", false, stretched},
		{"es", "Ayer, eh", false, stretched},
		{"es", "Fui al mercado,", false, stretched},
		{"es", "Fui fui", false, stretched},
		{"es", "¿Dónde está?", false, shrunk},
		{"de", "Ich habe gestern", false, stretched},
		{"de", "Ja.", true, shrunk},
		{"de", "Ja.", false, base},
		{"fr", "hier je suis euh", false, stretched},
		{"en", "Yesterday I went, um...", false, stretched},
		{"en-GB", "I went to the", false, stretched},
		{"en", "No, thank you", true, 1125 * time.Millisecond}, // yes or no was asked, and more than that said
		{"en", "no thanks", true, shrunk},
		{"ja", "昨日は学校に行きました。", false, base},
		{"ja", "元気ですか？", false, shrunk},
		{"xx", "whatever", false, base},
		{"en", "", false, base},
	} {
		if got := waitAfter(base, c.language, c.text, c.asked); got != c.want {
			t.Errorf("patience after %q (%s, asked %v) is %v, want %v", c.text, c.language, c.asked, got, c.want)
		}
	}
	if got := waitAfter(3*time.Second, "es", "y", false); got != MaxPatience {
		t.Errorf("stretched beyond the limit: %v", got)
	}
	levels := []learn.Level{learn.A1, learn.A2, learn.B1, learn.B2, learn.C1}
	for i := 1; i < len(levels); i++ {
		if LevelPatience(levels[i]) >= LevelPatience(levels[i-1]) {
			t.Errorf("%s is no less patient than %s", levels[i], levels[i-1])
		}
	}
}

// waitAfter is how long silence must last after text; asked: after a question.
func waitAfter(base time.Duration, language, text string, asked bool) time.Duration {
	question := ""
	if asked {
		question = "OK?"
	}
	stretch, _ := Judge(language, text, question)
	return Wait(base, stretch)
}

func TestInterrupts(t *testing.T) {
	const spoken = "Hoy tenemos sopa de verduras, pollo asado y pescado."
	for _, c := range []struct {
		heard string
		want  bool
	}{
		{"mhm", false}, {"sí, claro", false}, {"", false},
		{"espere", true}, {"mhm espere", true},
		{"tenemos sopa de verduras", false}, // the tutor's own voice
		{"sí tenemos sopa", false},
		{"sopa verduras pollo", false}, // an echo of which a word was missed
		{"sopa por favor", true},
		{"pollo asado quiero", true},
	} {
		if got := Interrupts(c.heard, spoken); got != c.want {
			t.Errorf("%q interrupts: %v, want %v", c.heard, got, c.want)
		}
	}
}

// Scripts without spaces, and Arabic's own marks, are understood as well.
func TestPatienceInOtherScripts(t *testing.T) {
	const base = time.Second
	stretched, shrunk := 1750*time.Millisecond, 600*time.Millisecond
	for _, c := range []struct {
		language, text string
		asked          bool
		want           time.Duration
	}{
		{"zh", "我昨天买了苹果和", false, stretched},
		{"zh", "我想去，但是", false, stretched},
		{"zh", "我想喝那个", false, stretched},
		{"zh", "我昨天去了学校", false, base},
		{"zh", "不", true, shrunk},
		{"ja", "昨日は学校に", false, stretched},
		{"ja", "昨日、えーと", false, stretched},
		{"ja", "学校に行きました", false, base},
		{"ja", "こんにちは", false, base},
		{"ko", "저는 학교에서", false, stretched},
		{"ko", "학교에 갔어요", false, base},
		{"ar", "هل أنت بخير؟", false, shrunk},
		{"ar", "ذهبت أمس،", false, stretched},
		{"ar", "ذهبت إلى", false, stretched},
		{"pt", "Não.", true, shrunk},
	} {
		if got := waitAfter(base, c.language, c.text, c.asked); got != c.want {
			t.Errorf("patience after %q (%s, asked %v) is %v, want %v", c.text, c.language, c.asked, got, c.want)
		}
	}
}

func TestInterruptsWithoutSpaces(t *testing.T) {
	const spoken = "今日はスープと魚があります。何を食べますか？"
	for heard, want := range map[string]bool{
		"うん": false, "うん、うん": false, "はいはい": false, "スープと魚": false, "何を食べますか": false,
		"ちょっと待って": true, "魚をください": true,
	} {
		if got := Interrupts(heard, spoken); got != want {
			t.Errorf("%q interrupts: %v, want %v", heard, got, want)
		}
	}
}
