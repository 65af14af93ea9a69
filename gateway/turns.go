package gateway

// turnRoutes registers turns that are sent whole.
func (s *Server) turnRoutes() {}
