package learn

import (
	"slices"
	"strings"
)

// A model is told to name private facts as such, and those are dropped. These words are the
// wall behind it: a fact that has one of them is not kept, whatever kind it was given. They
// are of the languages that learners have as their own. One fact too few does no harm.

// privateWords are whole words, and with a star beginnings of words.
var privateWords = WordSet(`
	ill illness* sick sickness* disease* diabet* cancer depressi* anxiety pregnan* medication* disabilit* disabled allerg* autis* adhd hiv asthma* epileps* diagnos*
	mother* father* mum mom dad daddy brother* sister* parent parents husband* wife wives daughter* sons married divorc* girlfriend* boyfriend* grandm* grandf* grandp* family families child children kid kids
	religi* church* mosque* synagogue* muslim* christian* jew jewish atheis* catholic* protestant* hindu* buddhis* gay lesbian* bisexual* transgender*
	enferm* diabét* cáncer depresi* ansiedad embaraz* discapaci* alerg* alérg* asma autist*
	madre* padre* mamá papá hermano* hermana* esposo* esposa* marido* hija* hijo* casad* divorci* novia* novio* abuel* familia familias familiares niños
	iglesia* mezquita* musulm* cristian* judí* ateo* católic* religión*
	malad* dépressi* enceinte* handicap* allergi* asthm* mère* père* maman papa frère* frères sœur* soeur* mari époux épouse* fille filles fils marié* copain* copine* famille* enfant*
	église* mosquée* chrétien* juif* juive* athée* religieu*
	krank* depress* schwanger* behinder* mutter mama vater bruder brüder schwester* eltern ehemann ehefrau tochter töchter sohn söhne verheirat* geschieden* freundin oma opa großm* großv* familie* kinder kindern
	kirche* moschee* jüdisch* jude juden christ christlich* katholisch* evangelisch* schwul* lesbisch*
	malatt* cancro incinta disabil* allergic* fratell* sorell* genitor* marito mariti moglie figlia figlie figlio figli sposat* divorziat* fidanzat* nonna nonno nonni famiglia* bambin*
	chiesa* moschea* musulman* ebre* cattolic*
	doen* câncer grávid* deficiên* alérgic* mãe* pai pais irmão* irmã* irmãos filha* filho* namorad* avó avô família* criança*
	igreja* muçulman* judeu* judi* evangélic*
	болез* болен больна диабет* рак депресси* беремен* инвалид* аллерги* мать мама отец папа брат* сестр* родител* муж жена дочь дочери сын* женат замужем развед* бабушк* дедушк* семья семьи семью семье семьей дети ребен*
	церк* мечет* мусульман* христиан* еврей* атеис* православ* религи*
`)

// privatePhrases have words that mean something else in another language.
var privatePhrases = []string{"my son", "has a son", "son is", "son and", "mein kind", "ein kind"}

// privateParts are of scripts that do not write words apart, or join them.
var privateParts = strings.Fields(`
	病気 病院に通 糖尿 癌 うつ病 妊娠 障害 アレルギー 母親 母は 母が お母さん 父親 父は 父が お父さん 兄 姉 弟 妹 両親 夫は 夫が 夫と 妻 娘 息子 結婚 離婚 彼女 彼氏 祖母 祖父 家族 子供 子ども 教会 宗教 イスラム キリスト教 仏教
	疾病 生病 癌 抑郁 怀孕 残疾 过敏 妈妈 爸爸 哥哥 姐姐 弟弟 妹妹 父母 丈夫 妻子 女儿 儿子 结婚 离婚 女朋友 男朋友 奶奶 爷爷 家人 家庭 孩子 教堂 清真寺 基督 佛教
	질병 당뇨 우울증 임신 장애 알레르기 어머니 엄마 아버지 아빠 형제 누나 언니 오빠 동생 부모 남편 아내 결혼 이혼 여자친구 남자친구 할머니 할아버지 가족 아이들 교회 종교 이슬람 기독교 불교
	مرض مريض سرطان اكتئاب حامل حساسية والدتي والدي والدت والده أمي أخي أختي زوج ابنة متزوج مطلق جدتي عائل أطفال كنيسة مسجد مسلم مسيحي يهودي ديانة
`)

// private says whether a text may be about health, family or beliefs.
func private(text string) bool {
	folded := Fold(text)
	for _, part := range privateParts {
		if strings.Contains(folded, part) {
			return true
		}
	}
	if within(folded, privatePhrases) {
		return true
	}
	for _, w := range Words(folded) {
		if i := strings.LastIndexAny(w, "'’"); i >= 0 { // l'église, mother's
			if marked(w[:i]) {
				return true
			}
			w = strings.TrimLeft(w[i:], "'’")
		}
		if marked(w) {
			return true
		}
	}
	return false
}

// marked says whether a word is among the private ones, whole or by its beginning.
func marked(word string) bool {
	if privateWords[word] {
		return true
	}
	for i := range word {
		if privateWords[word[:i]+"*"] {
			return true
		}
	}
	return privateWords[word+"*"]
}

// instructing are phrases that tell a tutor what to do, or speak of it as a program. They
// are looked for between word boundaries.
var instructing = strings.Split(strings.TrimSpace(`
ignore
ignores
disregard
instruction
instructions
system prompt
prompt
from now on
you are
you must
pretend
always answer
full marks
full score
best score
jailbreak
ignora
ignorar
instrucciones
a partir de ahora
debes
finge
ignorez
ignorer
consigne
consignes
désormais
tu dois
vous devez
ignoriere
ignoriert
ignorieren
anweisung
anweisungen
ab jetzt
ab sofort
du musst
ignorare
istruzioni
d'ora in poi
devi
instruções
a partir de agora
você deve
игнорируй
игнорировать
инструкции
отныне
`), "\n")

// instructingParts are the same for scripts that do not write words apart, or join them.
var instructingParts = strings.Fields("無視 指示 命令 プロンプト 忽略 无视 指令 提示词 从现在起 무시 지시 명령 프롬프트 تجاهل تعليمات الأوامر")

// instructs says whether a text may be an instruction and no fact.
func instructs(text string) bool {
	if strings.ContainsAny(text, "<>{}[]`|") {
		return true
	}
	folded := Fold(text)
	for _, part := range instructingParts {
		if strings.Contains(folded, part) {
			return true
		}
	}
	return within(folded, instructing)
}

// within says whether a folded text has one of some phrases, between word boundaries.
func within(folded string, phrases []string) bool {
	spaced := " " + strings.Join(Words(folded), " ") + " "
	return slices.ContainsFunc(phrases, func(p string) bool { return strings.Contains(spaced, " "+p+" ") })
}
