package turntaking

import "kalami/session/learn"

// lexicon is what the rules know of a language: closed classes of words, which any
// grammar lists. No list tries to be an open class, such as all verbs, because learners
// say what nobody has listed.
type lexicon struct {
	// function words with which no sentence ends: articles, possessives, conjunctions,
	// pronouns that are always subjects, words like "very" and "more"
	function map[string]bool
	// prepositions, with which no sentence ends either, but which make an answer to
	// "where" and "when"
	prepositions map[string]bool
	// verbs that need another word: auxiliaries, modals, "to be", "to want"
	verbs map[string]bool
	// fillers are words by which speakers gain time
	fillers map[string]bool
	// tails are ends of a last word after which something must come, in languages that
	// put such words behind or write without spaces
	tails []string
	// numbers up to twelve and some beyond, as words
	numbers map[string]bool
	// or joins the alternatives of a question
	or map[string]bool
	// facts are words of questions that a place, a time, a number or a name answers, and
	// asks the other words that make a question an open one; phrases divided by commas
	facts, asks string
	// tell are words by which one invites somebody to tell
	tell map[string]bool
}

// lexiconOf returns what is known of a language; nothing for one that is not taught.
func lexiconOf(language string) lexicon { return lexicons[primary(language)] }

var lexicons = map[string]lexicon{
	"es": {
		function:     learn.WordSet("el la los las un una unos unas del al y e o u ni pero sino porque pues que si cuando como aunque mientras donde mi mis tu tus su sus nuestro nuestra nuestros nuestras este esta estos estas ese esa esos esas cada muy más menos tan yo me te se le les lo nos"),
		prepositions: learn.WordSet("a ante bajo con contra de desde durante en entre hacia hasta para por según sin sobre tras"),
		verbs:        learn.WordSet("soy eres es somos sois son era eran fue ha he has hemos han había estoy estás está estamos están estaba quiero quieres quiere queremos quieren quería puedo puedes puede podemos pueden podría debo debe tengo tiene tenía voy va vamos van iba suelo hay"),
		fillers:      learn.WordSet("eh em este pues bueno sea osea digamos"),
		numbers:      learn.WordSet("uno una dos tres cuatro cinco seis siete ocho nueve diez once doce quince veinte treinta cuarenta cincuenta cien mil"),
		or:           learn.WordSet("o u"),
		facts:        "cuándo,cuánto,cuánta,cuántos,cuántas,dónde,adónde,quién,quiénes,cómo te llamas,cómo se llama,qué hora,qué día,qué edad,qué fecha",
		asks:         "qué,cómo,cuál,cuáles",
		tell:         learn.WordSet("cuéntame cuénteme cuéntanos háblame hábleme dime describe descríbeme explícame explica"),
	},
	"fr": {
		function:     learn.WordSet("le la les l' un une des du au aux et ou ni mais parce que qu' qu qui si quand comme donc car lorsque puisque quoique mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs ce cet cette ces très trop plus moins aussi je j' tu il elle on nous vous ils elles me te se y ne n'"),
		prepositions: learn.WordSet("à après avant avec chez contre dans de d d' depuis derrière devant en entre jusqu'à malgré par parmi pendant pour sans sauf selon sous sur vers"),
		verbs:        learn.WordSet("suis es est sommes êtes sont étais était j'étais c'était ai as a avons avez ont j'ai j'avais avais avait c'est n'est veux veut voulons voulez veulent voudrais peux peut pouvons pouvez peuvent dois doit devons devez vais va allons allez vont faut"),
		fillers:      learn.WordSet("eh ben bah bon euh enfin alors genre voilà"),
		numbers:      learn.WordSet("un une deux trois quatre cinq six sept huit neuf dix onze douze quinze vingt trente quarante cinquante cent mille"),
		or:           learn.WordSet("ou"),
		facts:        "quand,où,combien,qui,comment tu t'appelles,comment t'appelles,comment vous appelez,comment vous vous appelez,quel âge,quelle heure,quel jour,quelle date",
		asks:         "que,qu'est,qu'est ce,quoi,comment,pourquoi,quel,quelle,quels,quelles,lequel,laquelle,parle,en quoi",
		tell:         learn.WordSet("raconte racontez dis dites décris décrivez explique expliquez parle parlez"),
	},
	"de": {
		function:     learn.WordSet("der die das den dem des ein eine einen einem einer eines und oder aber weil dass wenn ob als wie denn sondern obwohl während bevor nachdem damit mein meine meinen meinem meiner dein deine deinen sein seine seinen ihr ihre ihren unser unsere unseren dieser diese dieses diesen jeder jede jedes sehr ich du wir man mich mir gestern"),
		prepositions: learn.WordSet("ab am an auf aus bei beim bis durch für gegen hinter im in ins mit nach neben ohne seit über um unter vom von vor wegen zu zum zur zwischen"),
		verbs:        learn.WordSet("bin bist ist sind seid war waren habe hast hat haben hatte hatten wurde wird werde möchte will kann muss soll darf mag würde könnte müsste sollte"),
		fillers:      learn.WordSet("eh em also halt naja na tja hm ähm"),
		numbers:      learn.WordSet("ein eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf fünfzehn zwanzig dreißig vierzig fünfzig hundert tausend halb halbes halben"),
		or:           learn.WordSet("oder"),
		facts:        "wann,wo,wohin,woher,wer,wen,wem,wie viel,wie viele,wie alt,wie lange,wie lang,wie weit,wie oft,wie spät,wie heißt,wie heißen,um wie viel,welcher tag",
		asks:         "was,wie,warum,wieso,weshalb,welche,welcher,welches,womit,wofür,worüber,woran",
		tell:         learn.WordSet("erzähl erzähle erzählen beschreib beschreibe beschreiben sag erklär erkläre erklären"),
	},
	"it": {
		function:     learn.WordSet("il lo la i gli le l' un uno una e ed o oppure né ma però perché che se quando come mentre anche dove mio mia miei mie tuo tua suo sua nostro nostra questo questa quello quella ogni molto più meno io mi ti ci si"),
		prepositions: learn.WordSet("di del dello della dei degli delle dell' a al allo alla ai agli alle da dal dallo dalla dai in nel nello nella nei nelle con per su sul sullo sulla tra fra senza verso durante dopo prima"),
		verbs:        learn.WordSet("sono sei è siamo siete era ero ho hai ha abbiamo avete hanno avevo voglio vuoi vuole vogliamo vorrei posso puoi può possiamo potrei devo deve dobbiamo dovrei vado va andiamo c'è"),
		fillers:      learn.WordSet("eh em cioè allora insomma ehm beh boh"),
		numbers:      learn.WordSet("uno una due tre quattro cinque sei sette otto nove dieci undici dodici quindici venti trenta quaranta cinquanta cento mille"),
		or:           learn.WordSet("o oppure"),
		facts:        "quando,quanto,quanta,quanti,quante,dove,chi,come ti chiami,come si chiama,che ora,che ore,che giorno",
		asks:         "che,cosa,cos'è,come,perché,quale,quali,qual",
		tell:         learn.WordSet("raccontami racconta mi parlami parla dimmi descrivi descrivimi spiegami"),
	},
	"pt": {
		function:     learn.WordSet("o a os as um uma uns umas e ou nem mas porque que se quando como embora enquanto onde meu minha meus minhas teu tua seu sua nosso nossa este esta esse essa cada muito mais menos tão eu me te"),
		prepositions: learn.WordSet("de do da dos das em no na nos nas num numa ao à aos às com por pelo pela para pra sem sobre entre até desde durante contra"),
		verbs:        learn.WordSet("sou és é somos são era fui estou está estamos estão estava tenho tem temos têm tinha quero quer queremos querem queria posso pode podemos podem devo deve vou vai vamos vão há"),
		fillers:      learn.WordSet("eh hã é né tipo bem pois então ahn"),
		numbers:      learn.WordSet("um uma dois duas três quatro cinco seis sete oito nove dez onze doze quinze vinte trinta quarenta cinquenta cem mil"),
		or:           learn.WordSet("ou"),
		facts:        "quando,quanto,quanta,quantos,quantas,onde,aonde,quem,como te chamas,como você se chama,como se chama,que horas,que dia,qual é o seu nome,qual é o teu nome",
		asks:         "que,o que,como,por que,porque,porquê,qual,quais",
		tell:         learn.WordSet("conta conte diz diga descreve descreva explica explique fala fale"),
	},
	"en": {
		function:     learn.WordSet("a an the and or nor but because that if when while than although though unless my your his her its our their this these those every very more less so i i'm he's she's we're they're it's i've i'd who which whose yesterday"),
		prepositions: learn.WordSet("of to in on at with for from by about into onto after before behind between during since through under until without against among towards"),
		verbs:        learn.WordSet("am is are was were isn't aren't wasn't have has had haven't hasn't do does did don't doesn't didn't can can't could will won't would should must may might want wants wanted need needs"),
		fillers:      learn.WordSet("eh em um er like well so"),
		numbers:      learn.WordSet("one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty hundred thousand"),
		or:           learn.WordSet("or"),
		facts:        "when,where,who,whose,how many,how much,how old,how long,how far,how often,what time,what day,what year,what date,what's your name,what is your name,which day",
		asks:         "what,what's,why,how,which",
		tell:         learn.WordSet("tell describe explain"),
	},
	"ru": {
		function:     learn.WordSet("и или а но что чтобы если когда как потому хотя где мой моя моё мои твой твоя его её наш наша ваш этот эта это эти очень более я мы ты не"),
		prepositions: learn.WordSet("в во на с со к ко у о об обо от до из за для без под над при по про через между перед после около"),
		verbs:        learn.WordSet("был была было были буду будет хочу хочешь хочет хотел хотела могу можешь может мог могла должен должна надо нужно"),
		fillers:      learn.WordSet("э ну вот значит это"),
		numbers:      learn.WordSet("один одна два две три четыре пять шесть семь восемь девять десять одиннадцать двенадцать пятнадцать двадцать тридцать сорок пятьдесят сто тысяча"),
		or:           learn.WordSet("или"),
		facts:        "когда,где,куда,откуда,кто,сколько,как тебя зовут,как вас зовут,который час,какой день,во сколько",
		asks:         "что,как,почему,зачем,какой,какая,какое,какие",
		tell:         learn.WordSet("расскажи расскажите опиши опишите объясни объясните"),
	},
	"ar": {
		function:     learn.WordSet("و أو ثم لكن لأن أن إن إذا عندما حيث الذي التي هذا هذه كل أنا هو هي نحن"),
		prepositions: learn.WordSet("في من إلى على عن مع حتى منذ بين بعد قبل خلال بدون تحت فوق عند"),
		verbs:        learn.WordSet("كان كانت كنت يكون أريد أستطيع يجب سوف قد"),
		fillers:      learn.WordSet("يعني آه امم طيب"),
		numbers:      learn.WordSet("واحد واحدة اثنان اثنين ثلاثة ثلاث أربعة خمسة ستة سبعة ثمانية تسعة عشرة عشر عشرون عشرين ثلاثون مئة مائة ألف"),
		or:           learn.WordSet("أو أم"),
		facts:        "متى,أين,من أين,إلى أين,من,كم,ما اسمك",
		asks:         "ما,ماذا,لماذا,كيف,أي",
		tell:         learn.WordSet("احك احكي أخبرني أخبريني حدثني صف صفي اشرح"),
	},
	"zh": {
		fillers: learn.WordSet("那个 这个 嗯 呃 就是"),
		tails:   []string{"和", "跟", "但是", "因为", "所以", "如果", "虽然", "而且", "还有", "或者", "很", "非常", "在", "把", "被", "从", "那个", "这个", "一个", "嗯", "我想", "我要", "我的", "我觉得"},
		numbers: learn.WordSet("一 二 两 三 四 五 六 七 八 九 十"),
		or:      learn.WordSet("还是"),
		facts:   "什么时候,哪里,哪儿,谁,多少,几,多大,多长,多久,叫什么",
		asks:    "什么,为什么,怎么,怎么样,哪",
		tell:    learn.WordSet("告诉我 说说 谈谈 介绍"),
	},
	"ja": {
		fillers: learn.WordSet("あの あのー えっと えーと ええと うーん まあ なんか その"),
		tails:   []string{"は", "を", "に", "へ", "が", "の", "と", "も", "で", "て", "けど", "から", "ので", "たら", "とても", "そして", "でも", "あの", "えっと", "えーと", "その"},
		numbers: learn.WordSet("一 二 三 四 五 六 七 八 九 十"),
		or:      learn.WordSet("それとも"),
		facts:   "いつ,どこ,誰,だれ,いくつ,いくら,何時,何歳,何人,お名前",
		asks:    "何,なに,なん,なぜ,どうして,どう,どんな,どの",
		tell:    learn.WordSet("教えて 話して 聞かせて"),
	},
	"ko": {
		fillers: learn.WordSet("음 어 그 저 그니까 뭐지"),
		tails:   []string{"은", "는", "을", "를", "에", "에서", "에게", "와", "과", "하고", "그리고", "그래서", "그런데", "하지만", "지만", "는데", "아서", "어서", "니까", "아주", "너무"},
		numbers: learn.WordSet("하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉 열 일 이 삼 사 오 육 칠 팔 구 십"),
		or:      learn.WordSet("아니면"),
		facts:   "언제,어디,어디에,어디에서,어디서,누구,누가,몇,몇 시,몇 살,얼마나,이름이",
		asks:    "뭐,무엇,무슨,왜,어떻게,어떤,어때요",
		tell:    learn.WordSet("말해 이야기해 설명해"),
	},
}

// yes and no, and what is said instead, are one list for all languages: beginners answer
// in their own.
var (
	assents  = learn.WordSet("yes yeah yep sure sí si claro vale oui ouais ja genau doch gern sì certo sim はい うん ええ 네 예 응 对 好 是 да конечно نعم أجل")
	refusals = learn.WordSet("no nope non nein nö não нет いいえ 아니요 아니 不 不是 没有 لا gracias merci danke grazie obrigado obrigada спасибо شكرا thanks")
	// polite words may end an answer without being it.
	polite = learn.WordSet("please por favor s'il te vous plaît plait bitte per favore пожалуйста ください 请")
)
