package gateway

// speechRoutes registers recorded speech and clips.
func (s *Server) speechRoutes() {}
