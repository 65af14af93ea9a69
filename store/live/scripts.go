package live

import "github.com/redis/go-redis/v9"

// scripts are run by their hash; go-redis sends the text of one that a server does not
// know. All but the rates' may be run again without harm.
type scripts struct {
	gcra, keep, renew, forget, leases, orphans, takePlace, renewPlaces, leavePlace *redis.Script
}

func newScripts() scripts {
	return scripts{
		gcra: redis.NewScript(gcraScript), keep: redis.NewScript(keepScript), renew: redis.NewScript(renewScript),
		forget: redis.NewScript(forgetScript), leases: redis.NewScript(leasesScript), orphans: redis.NewScript(orphansScript),
		takePlace: redis.NewScript(takePlaceScript), renewPlaces: redis.NewScript(renewPlacesScript), leavePlace: redis.NewScript(leavePlaceScript),
	}
}
