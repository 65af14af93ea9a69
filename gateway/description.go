package gateway

// descriptionRoutes registers what describes the API.
func (s *Server) descriptionRoutes() {}
