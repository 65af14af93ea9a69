package gateway

// signInRoutes registers keeping a learner signed in, and letting one out.
func (s *Server) signInRoutes() {}
