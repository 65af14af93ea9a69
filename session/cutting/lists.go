package cutting

// list has a language's words, divided by blanks; words says what they are.
type list struct{ bound, either, before, leaning, endings string }

// lists are those of the languages that can be learned here. Of an abbreviation that is
// written with blanks ("z. B.") each part stands alone.
var lists = map[string]list{
	"en": {
		bound:   "dr mr mrs ms prof st vs e.g i.e approx fig vol pp capt gen sgt rev hon mt",
		either:  "etc jr sr inc ltd co corp dept",
		before:  "and but or because so that if when while which who where to of in on at with for from by about into after before until",
		leaning: "a an the this that my your his her its our their some any no not very more is are was were be don't can will would",
	},
	"es": {
		bound:   "sr sra srta srtas sres sras dr dra d dña pág págs núm tel prof gral avda av ej p.ej p a ee",
		either:  "ud uds vd vds etc m uu a.c d.c aprox",
		before:  "y e o u pero porque que si cuando como aunque mientras de del a al en con por para sin sobre entre hasta desde hacia",
		leaning: "el la los las un una unos unas mi mis tu tus su sus nuestro nuestra este esta ese esa muy más no es son lo le me te se",
	},
	"fr": {
		bound:   "m mm mme mlle mmes dr pr ste av bd p pp ex cf env n",
		either:  "etc j.-c",
		before:  "et ou mais parce que qui si quand comme donc car de du des d à au aux en dans avec pour par sans sur sous entre chez",
		leaning: "le la les un une mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs ce cette ces très plus ne est sont je tu il elle on nous vous ils elles",
	},
	"de": {
		bound: "dr hr hrn fr frl prof nr bzw z d h u o s vgl ca evtl ggf inkl exkl zzgl bspw sog z.b d.h u.a o.ä s.o v.a z.t i.d.r abt tel n v str st jh",
		// "Chr." ends "n. Chr.", "Uhr." is a word
		either:  "usw etc uvm chr u.s.w",
		before:  "und oder aber weil dass wenn ob als wie denn sondern damit im in an am auf aus bei mit nach von vom zu zum zur für gegen ohne um über unter vor seit bis durch",
		leaning: "der die das den dem des ein eine einen einem einer eines mein meine meinen dein deine sein seine ihr ihre ihren unser unsere kein keine keinen sehr mehr nicht ist sind war ich sie er es wir",
	},
	"it": {
		bound:   "sig sigg sig.ra sig.na dott dott.ssa prof avv ing p es pag n art a d ecc.mo",
		either:  "ecc a.c d.c",
		before:  "e ed o ma perché che se quando come mentre di del dello della dei delle a al alla ai da dal dalla in nel nella con per su sul sulla tra fra senza",
		leaning: "il lo la i gli le un uno una mio mia miei mie tuo tua suo sua nostro nostra questo questa molto più non è sono",
	},
	"pt": {
		bound:   "sr sra srs sras dr dra prof profa d pág p ex av n",
		either:  "etc a.c d.c",
		before:  "e ou mas porque que se quando como embora enquanto de do da dos das em no na nos nas com por pelo pela para sem sobre entre até",
		leaning: "o a os as um uma uns umas meu minha seu sua nosso nossa este esta muito mais não é são",
	},
	"ru": {
		bound:   "ул т е к им проф пр пл кв стр с рис см напр тыс млн млрд н до",
		either:  "г гг д п др э руб коп в вв",
		before:  "и а но или что чтобы если когда как потому где который которая в на с со к ко у о об от до для без под над при из за по через",
		leaning: "мой моя моё мои твой твоя его её их наш наша ваш ваша этот эта это не очень",
	},
	"ar": {
		bound:   "د أ م ص ج",
		either:  "إلخ الخ هـ",
		before:  "لكن ولكن لأن أن إذا عندما ثم أو من في إلى على عن مع حتى منذ التي الذي",
		leaning: "هذا هذه ذلك تلك لا ليس كل",
	},
	"ko": {
		before:  "그리고 그래서 하지만 그런데 그러면 또는",
		leaning: "그 이 저 안 못 더 아주",
		endings: "고 지만 는데 니까 어서 아서 해서 으면 다면 에서 에게 하고",
	},
}
