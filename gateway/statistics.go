package gateway

// statisticsRoutes registers what a learner has done so far.
func (s *Server) statisticsRoutes() {}
