package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// proxies knows whose word to take about where a request came from. Without trusted
// proxies a request came from the other end of its connection, whatever its headers say.
type proxies struct {
	trusted []netip.Prefix
}

// trusts says whether addr belongs to a trusted proxy.
func (p proxies) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(p.trusted, func(n netip.Prefix) bool { return n.Contains(addr.Unmap()) })
}

// clientIP returns how to find a request's client: the right-most address of
// X-Forwarded-For that is not a trusted proxy's own, else the other end of the connection.
func (p proxies) clientIP() echo.IPExtractor {
	if len(p.trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	// Echo trusts loopback and private networks unless it is told not to.
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, n := range p.trusted {
		addr := n.Masked().Addr()
		options = append(options, echo.TrustIPRange(&net.IPNet{
			IP:   addr.AsSlice(),
			Mask: net.CIDRMask(n.Bits(), addr.BitLen()),
		}))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}

// secure says whether the client speaks TLS, to this server or to a trusted proxy.
func (p proxies) secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	peer, ok := peerAddr(r)
	return ok && p.trusts(peer) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// socketURL is path on this server as a WebSocket URL, as the client reaches it.
func (p proxies) socketURL(r *http.Request, path string) string {
	scheme := "ws"
	if p.secure(r) {
		scheme = "wss"
	}
	return scheme + "://" + r.Host + path
}

func peerAddr(r *http.Request) (netip.Addr, bool) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(host)
	return addr.Unmap(), err == nil
}
