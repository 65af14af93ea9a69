package gateway

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

// languageJSON is one language that can be learned here.
type languageJSON struct {
	Code string `json:"code" doc:"ISO 639-1" example:"es"`
	Name string `json:"name" doc:"In English" example:"Spanish"`
	Own  string `json:"own_name" doc:"In itself" example:"Español"`
	Demo bool   `json:"demo" doc:"Whether the demo tutor has a role play in it" example:"true"`
}

// languages answers GET /languages, in the mobile app's order.
func (s *Server) languages(c echo.Context) error {
	out := make([]languageJSON, len(learn.Languages))
	for i, l := range learn.Languages {
		out[i] = languageJSON{Code: l.Code, Name: l.English, Own: l.Own, Demo: slices.Contains(s.opts.DemoLanguages, l.Code)}
	}
	return c.JSON(http.StatusOK, out)
}
