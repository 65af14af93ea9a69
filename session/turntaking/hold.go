package turntaking

import (
	"slices"
	"strings"

	"kalami/session/learn"
)

// HoldPhrase says whether the whole text is nothing but a request for time, in the
// language (a BCP-47 tag) or in English: "un momento, por favor", "wait, let me think",
// "ちょっと待って". Courtesies, a yes and sounds of hesitation may stand around it; any
// other word makes it an ordinary sentence ("wait for me at the station"). For those who
// ask in their own language, call it with that, too.
func HoldPhrase(language, text string) bool {
	said := learn.Units(learn.Words(strings.ReplaceAll(text, "’", "'")))
	base := primary(language)
	return requests(said, base) || base != "en" && requests(said, "en")
}

// requests says whether the words are made of a language's requests for time, at least
// one, and of what goes along with them. reach[i] holds whether the first i words are,
// without and with a request.
func requests(said []string, language string) bool {
	if len(said) == 0 || len(said) > holdWords {
		return false
	}
	type cover struct{ courtesy, request bool }
	reach := make([]cover, len(said)+1)
	reach[0].courtesy = true
	for i := range said {
		if !reach[i].courtesy && !reach[i].request {
			continue
		}
		if w := said[i]; sounds[w] || lexiconOf(language).fillers[w] {
			reach[i+1].courtesy = reach[i+1].courtesy || reach[i].courtesy
			reach[i+1].request = reach[i+1].request || reach[i].request
		}
		for phrase := range strings.SplitSeq(courtesies[language], ",") {
			if n := prefixed(said[i:], phrase); n > 0 {
				reach[i+n].courtesy = reach[i+n].courtesy || reach[i].courtesy
				reach[i+n].request = reach[i+n].request || reach[i].request
			}
		}
		for phrase := range strings.SplitSeq(holdPhrases[language], ",") {
			if n := prefixed(said[i:], phrase); n > 0 {
				reach[i+n].request = true
			}
		}
	}
	return reach[len(said)].request
}

// holdWords is the most words, or characters of a script without spaces, that a request
// for time has; it bounds the search.
const holdWords = 40

// prefixed returns how many words the phrase has if said begins with it, else 0.
func prefixed(said []string, phrase string) int {
	units := learn.Units(learn.Words(phrase))
	if len(units) > len(said) || !slices.Equal(units, said[:len(units)]) {
		return 0
	}
	return len(units)
}

// primary is the primary subtag of a BCP-47 tag.
func primary(language string) string {
	base, _, _ := strings.Cut(strings.ToLower(language), "-")
	return base
}

// holdPhrases are requests for time, divided by commas. "A minute" alone is not among
// them: it also answers "how long?".
var holdPhrases = map[string]string{
	"es": "un momento,un momentito,momento,un segundo,un segundito,un instante,espera,espere,espérame,espéreme,esperen,un minuto por favor,dame un momento,dame un segundo,dame un minuto,deme un momento,deme un segundo,déjame pensar,déjeme pensar,deja que piense,déjame ver,a ver,tengo que pensar,necesito pensar,necesito un momento,estoy pensando,aguanta,no he terminado",
	"fr": "un moment,un petit moment,un instant,une seconde,une petite seconde,attends,attendez,attends un peu,attends un moment,une minute s'il te plaît,une minute s'il vous plaît,attendez un moment,attends une minute,attendez une minute,laisse-moi réfléchir,laissez-moi réfléchir,laisse-moi le temps,je réfléchis,je dois réfléchir,il faut que je réfléchisse,donne-moi une seconde,donnez-moi une seconde,donne-moi un instant,donnez-moi un instant,donne-moi un moment,donnez-moi un moment,deux secondes,minute,je n'ai pas fini",
	"de": "moment,einen moment,ein moment,momentchen,moment mal,augenblick,einen augenblick,sekunde,eine sekunde,eine minute bitte,warte,warten sie,warte mal,warte kurz,wart mal,warte einen moment,warten sie einen moment,lass mich nachdenken,lassen sie mich nachdenken,lass mich überlegen,lassen sie mich überlegen,lass mich kurz überlegen,ich überlege,ich überlege noch,ich muss überlegen,ich muss kurz überlegen,ich muss nachdenken,ich denke nach,gib mir einen moment,gib mir eine sekunde,geben sie mir einen moment,ich bin noch nicht fertig",
	"it": "un momento,un momentino,momento,un attimo,un attimino,attimo,un secondo,aspetta,aspetti,aspetta un attimo,aspetti un attimo,un minuto per favore,dammi un momento,dammi un attimo,dammi un secondo,mi dia un momento,fammi pensare,mi faccia pensare,lasciami pensare,devo pensare,ci sto pensando,ci penso,sto pensando,vediamo,non ho finito",
	"pt": "um momento,um momentinho,momento,um segundo,um segundinho,um instante,espera,espere,espera aí,espera um pouco,espere um pouco,um minuto por favor,peraí,só um momento,só um momentinho,só um segundo,só um minuto,só um instante,me dá um momento,me dê um momento,dá-me um momento,deixa eu pensar,deixe-me pensar,deixa-me pensar,deixa eu ver,estou pensando,estou a pensar,preciso pensar,calma,ainda não terminei",
	"en": "wait,wait a moment,wait a minute,wait a second,wait a bit,wait a sec,hold on,hang on,one moment,a moment,just a moment,one second,just a second,one sec,just a sec,a minute please,one minute please,just a minute,hold on a second,hang on a second,hold on a minute,hang on a minute,hold on a moment,give me a moment,give me a second,give me a minute,give me a sec,give me some time,let me think,let me see,let me think about it,let me think about that,let me think for a moment,let me think for a second,i'm thinking,i am thinking,i'm still thinking,i need to think,i have to think,i need a moment,i need a second,i need a minute,i'm not finished,i'm not done",
	"ja": "ちょっと待って,ちょっと待ってください,ちょっとまって,ちょっとまってください,待って,まって,待ってください,まってください,少し待って,少し待ってください,少々お待ちください,ちょっと待ってね,待ってね,ちょっと考えさせて,ちょっと考えさせてください,考えさせて,考えさせてください,考えています,考え中です,考えてます,ちょっと時間をください,時間をください",
	"ko": "잠깐,잠깐만,잠깐만요,잠시만,잠시만요,기다려,기다려요,기다려 줘,기다려 주세요,기다려주세요,잠깐 기다려 주세요,잠시 기다려 주세요,조금만 기다려 주세요,생각해 볼게요,생각 좀 할게요,생각 중이에요,생각하고 있어요,시간을 좀 주세요,시간 좀 주세요",
	"zh": "等一下,等一等,等等,等会儿,等一会儿,稍等,稍等一下,请等一下,请等一等,请稍等,请稍等一下,你等一下,您等一下,等我一下,等我想一下,让我想想,让我想一想,让我想一下,我想想,我想一想,我想一下,我在想,我还在想,我需要想一想,给我一点时间,给我点时间,别急",
	"ar": "لحظة,لحظة واحدة,لحظه,دقيقة من فضلك,ثانية,ثانية واحدة,انتظر,انتظري,انتظر لحظة,انتظري لحظة,انتظر قليلا,مهلا,دعني أفكر,دعيني أفكر,اسمح لي أن أفكر,أحتاج إلى لحظة,أعطني لحظة,أعطني دقيقة,أنا أفكر",
	"ru": "момент,один момент,минутку,одну минутку,минуточку,одну минуточку,одну минуту,секунду,одну секунду,секундочку,одну секундочку,подожди,подождите,погоди,погодите,постой,подожди минутку,подождите минутку,подожди немного,подождите немного,подожди секунду,дай подумать,дайте подумать,дай мне подумать,дайте мне подумать,мне надо подумать,мне нужно подумать,сейчас подумаю,дай мне минуту,дайте мне минуту,я ещё не закончил,я ещё не закончила",
}

// courtesies may stand around a request for time, without being one.
var courtesies = map[string]string{
	"es": "por favor,perdón,perdona,perdone,lo siento,disculpa,disculpe,sí,vale,ok,no,gracias,y,pero",
	"fr": "s'il te plaît,s'il vous plaît,pardon,désolé,désolée,excuse-moi,excusez-moi,oui,ok,d'accord,non,merci,mais",
	"de": "bitte,entschuldigung,entschuldige,entschuldigen sie,sorry,tut mir leid,ja,ok,okay,nein,danke,mal,kurz,noch,aber",
	"it": "per favore,per piacere,scusa,scusi,mi scusi,mi dispiace,sì,ok,va bene,no,grazie,ma",
	"pt": "por favor,desculpa,desculpe,com licença,sim,tá,ok,não,obrigado,obrigada,mas",
	"en": "please,sorry,i'm sorry,excuse me,yes,yeah,ok,okay,no,thanks,thank you,just,but",
	"ja": "えっと,ええと,えーと,あの,あのー,うーん,すみません,ごめん,ごめんなさい,はい,ええ,お願いします,おねがいします,いや,もう,ね",
	"ko": "죄송해요,죄송합니다,미안해요,미안,네,예,아니,좀,조금만",
	"zh": "请,对不起,不好意思,抱歉,好,好的,嗯,啊,吧,谢谢",
	"ar": "من فضلك,لو سمحت,آسف,آسفة,عفوا,نعم,لا,شكرا",
	"ru": "пожалуйста,извините,извини,простите,прости,да,нет,ой,так,спасибо",
}
