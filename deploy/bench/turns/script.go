package main

import "kalami/providers/simulate"

// replyTokens is how many tokens each of the tutor's answers has.
const replyTokens = 20

// scripts are what the learners say, and the tutor's answers, of [replyTokens] tokens of
// the simulated model each.
func scripts() map[string]simulate.Script {
	return map[string]simulate.Script{
		"en": {Language: "en", Opener: "Good evening! How can I help you?", Otherwise: "I see. Can you tell me a little more?", Turns: []simulate.Turn{
			{Learner: "I would like to book a table for two.", Tutor: "Of course, a table for two. At what time would you like to come here, and what is your name?"},
			{Learner: "We will come at eight with our friends.", Tutor: "That sounds lovely! Then it is four of you. Do you prefer to sit inside or on the terrace?"},
			{Learner: "We would like to sit outside, please.", Tutor: "Very good, I will keep a quiet table on the terrace for you. Do you eat fish, or some meat?"},
			{Learner: "Yes, I like fish but no meat.", Tutor: "Great, our fish comes fresh from the harbour. Would you like to have some soup or salad before it?"},
		}},
		"es": {Language: "es", Opener: "¡Buenas tardes! ¿En qué puedo ayudarle?", Otherwise: "Entiendo. ¿Puede contarme un poco más?", Turns: []simulate.Turn{
			{Learner: "Quiero una mesa para dos personas.", Tutor: "¡Muy bien! Una mesa para dos. ¿Para qué hora la quiere y a qué nombre la pongo, por favor, señor?"},
			{Learner: "A las ocho, con mi hermana.", Tutor: "Perfecto, a las ocho con su hermana. ¿Prefieren estar dentro o en la terraza de atrás, señor?"},
			{Learner: "Preferimos la terraza, por favor.", Tutor: "De acuerdo, la terraza es muy tranquila por la noche. ¿Comen ustedes carne o sólo un pescado?"},
			{Learner: "Sí, nos gusta mucho el pescado.", Tutor: "Qué bien, hoy lo tenemos muy fresco. ¿Y quieren tomar un poco de sopa o ensalada antes, o nada?"},
		}},
		"fr": {Language: "fr", Opener: "Bonjour ! Que puis-je faire pour vous ?", Otherwise: "Je vois. Pouvez-vous m'en dire plus ?", Turns: []simulate.Turn{
			{Learner: "Je voudrais une table pour deux.", Tutor: "Très bien, une table pour deux. À quelle heure venez-vous, et à quel nom, s'il vous plaît, madame ?"},
			{Learner: "À huit heures, avec ma sœur.", Tutor: "Parfait, à huit heures avec votre sœur. Vous voulez être dedans, ou plutôt dehors, sur notre belle terrasse ?"},
			{Learner: "Nous aimons bien la terrasse.", Tutor: "C'est noté, la terrasse est très calme le soir. Est-ce que vous mangez du poisson et du fromage ?"},
			{Learner: "Oui, nous aimons le poisson.", Tutor: "Quelle chance, il est vraiment très frais ce soir. Vous voulez aussi une petite soupe juste avant cela ?"},
		}},
		"de": {Language: "de", Opener: "Guten Tag! Wie kann ich Ihnen helfen?", Otherwise: "Ich verstehe. Können Sie mir mehr erzählen?", Turns: []simulate.Turn{
			{Learner: "Ich möchte einen Tisch für zwei.", Tutor: "Sehr gern, ein Tisch für zwei. Um wie viel Uhr kommen Sie, und wie ist bitte Ihr Name, mein Herr?"},
			{Learner: "Um acht Uhr mit meiner Schwester.", Tutor: "Gut, dann sind Sie um acht Uhr zu zweit hier. Sitzen Sie gern drinnen oder lieber draußen in dem Garten?"},
			{Learner: "Wir sitzen gern im Garten.", Tutor: "Wunderbar, im Garten ist es am Abend ganz ruhig. Essen Sie denn auch gern Fisch oder lieber Fleisch?"},
			{Learner: "Ja, wir essen sehr gern Fisch.", Tutor: "Schön, der Fisch ist heute ganz frisch. Möchten Sie vorher auch noch eine Suppe oder einen kleinen Salat dazu haben?"},
		}},
	}
}
