package main

import "net/http"

// playedScenario is what ana's session plays.
const playedScenario = "talk-food"

func scenarioRows() []operationRow {
	return []operationRow{
		{id: "listScenarios", path: "/scenarios", query: "limit=50&offset=0&language=es&level=A1&topic=talk", right: http.StatusOK,
			parameters: map[string][]string{"limit": append(badNumbers(), "0", "101"), "offset": append(badNumbers(), "100001"),
				"language": {"tlh", "x", "%"}, "level": {"D1", "A", "%"}, "topic": {"space", "TALK", "%"}}},
		{id: "getScenario", path: "/scenarios/" + playedScenario, right: http.StatusOK},
	}
}
