package gateway

// conversationRoutes registers the conversations that were held.
func (s *Server) conversationRoutes() {}
