package gateway

// registerOriginal registers the socket of the original.
func (s *Server) registerOriginal() {}
