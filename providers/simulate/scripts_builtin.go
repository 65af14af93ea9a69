package simulate

// builtin are the shipped role plays. Each of the tutor's lines has a shipped clip per
// punctuation-bounded fragment (see the clips folder).
var builtin = map[string]Script{
	"en": {
		Language:  "en",
		Opener:    "Good evening, and welcome! How can I help you?",
		Otherwise: "I see. Can you tell me a little more about that?",
		Turns: []Turn{
			{"I would like to book a table for two people at eight o'clock.", "Of course, a table for two at eight. Do you live here, or are you visiting?"},
			{"I am living here since five years and I like it very much.", "So you have lived here for five years, how nice! Today we have fresh fish, roast chicken, and a very good vegetable soup. What would you like to eat?"},
			{"Wait, stop, can you say that again more slowly, please?", "Of course. We have fish, chicken, or soup. Which one would you like?"},
			{"I would like the fish and a glass of water, please.", "An excellent choice. Would you like a dessert after the fish?"},
			{"No, thank you, only the bill, please.", "Here is the bill. Thank you for coming, and have a lovely evening!"},
		},
		Mistakes: []Mistake{
			{"am living here since five years", "have been living here for five years", "verb_tense", "major",
				"For something that began in the past and goes on, say \"have been living\", and \"for\" with a length of time."},
		},
		Words: []Word{
			{"dessert", "dessert", "noun", "a sweet dish after a meal", "A2"},
			{"bill", "bill", "noun", "the paper that says what you have to pay", "A2"},
		},
	},
	"es": {
		Language:  "es",
		Opener:    "¡Buenas tardes, bienvenido! ¿En qué puedo ayudarle?",
		Otherwise: "Entiendo. ¿Puede contarme un poco más?",
		Turns: []Turn{
			{"Hola, me gustaría reservar una mesa para dos personas.", "Claro, una mesa para dos. ¿Para qué hora la quiere?"},
			{"Yo soy muy cansado porque trabajo mucho.", "Vaya, está usted muy cansado. Hoy tenemos sopa de verduras, pollo asado, y un pescado muy fresco. ¿Qué le gustaría comer?"},
			{"Ayer yo fui al mercado con mi hermana.", "¡Qué bien! ¿Y qué compraron en el mercado?"},
			{"Quiero el pescado y un vaso de agua, por favor.", "Muy bien, pescado y agua. ¿Desea algún postre después?"},
			{"No, gracias, solo la cuenta.", "Aquí tiene la cuenta. ¡Muchas gracias, y hasta pronto!"},
		},
		Mistakes: []Mistake{
			{"soy muy cansado", "estoy muy cansado", "word_choice", "major", "Use \"estar\" for how you feel at the moment, \"ser\" for what you are like."},
		},
		Words: []Word{
			{"sopa de verduras", "sopa de verduras", "noun", "vegetable soup", "A2"},
			{"postre", "postre", "noun", "dessert", "A2"},
			{"compraron", "comprar", "verb", "to buy", "A1"},
		},
	},
	"fr": {
		Language:  "fr",
		Opener:    "Bonjour, et bienvenue ! Que puis-je faire pour vous ?",
		Otherwise: "Je comprends. Pouvez-vous m'en dire un peu plus ?",
		Turns: []Turn{
			{"Bonjour, je voudrais un café et deux croissants, s'il vous plaît.", "Bien sûr, un café et deux croissants. C'est pour ici, ou pour emporter ?"},
			{"Hier je suis allé à la plage avec mes amis.", "À la plage, quelle bonne idée ! Aujourd'hui nous avons aussi une tarte aux pommes, une salade, et une soupe à l'oignon. Qu'est-ce qui vous ferait plaisir ?"},
			{"Je voudrais la tarte aux pommes, s'il vous plaît.", "Très bon choix. Vous prenez autre chose ?"},
			{"Non merci, seulement l'addition.", "Voici l'addition. Merci beaucoup, et bonne journée !"},
		},
		Words: []Word{
			{"emporter", "emporter", "verb", "to take away", "A2"},
			{"tarte aux pommes", "tarte aux pommes", "noun", "apple tart", "A2"},
		},
	},
	"de": {
		Language:  "de",
		Opener:    "Guten Tag, und herzlich willkommen! Wie kann ich Ihnen helfen?",
		Otherwise: "Ich verstehe. Können Sie mir etwas mehr erzählen?",
		Turns: []Turn{
			{"Guten Tag, ich möchte ein Zimmer für drei Nächte buchen.", "Sehr gern, ein Zimmer für drei Nächte. Wie sind Sie angereist?"},
			{"Ich habe gestern mit dem Zug nach Berlin gefahren.", "Sie sind also mit dem Zug nach Berlin gefahren. Wir haben ein ruhiges Zimmer zum Hof, ein großes Zimmer mit Balkon, und ein kleines unter dem Dach. Welches möchten Sie?"},
			{"Ich nehme das Zimmer mit Balkon.", "Eine gute Wahl. Möchten Sie auch Frühstück?"},
			{"Ja, gern, um acht Uhr.", "Sehr gut, Frühstück um acht Uhr. Vielen Dank, und einen schönen Aufenthalt!"},
		},
		Mistakes: []Mistake{
			{"habe gestern mit dem Zug nach Berlin gefahren", "bin gestern mit dem Zug nach Berlin gefahren", "verb_form", "major",
				"Verbs of movement such as \"fahren\" form the perfect with \"sein\"."},
		},
		Words: []Word{
			{"angereist", "anreisen", "verb", "to arrive, to travel here", "B1"},
			{"Aufenthalt", "Aufenthalt", "noun", "stay", "B1"},
		},
	},
}
