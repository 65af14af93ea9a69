package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The UnmarshalText methods below return errors that say what is wanted. Those
// of types that can hold a password never repeat what they were given; nor do
// they wrap net/url's errors, which do.

// LogFormat is how log lines look.
type LogFormat string

// The two formats.
const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// UnmarshalText accepts "text" and "json".
func (f *LogFormat) UnmarshalText(b []byte) error {
	switch v := LogFormat(strings.ToLower(string(b))); v {
	case LogText, LogJSON:
		*f = v
		return nil
	}
	return fmt.Errorf("%q is neither text nor json", b)
}

// BaseURL is where a service is: http or https, a host, perhaps a path, without
// a slash at its end.
type BaseURL string

// UnmarshalText accepts an absolute http(s) URL without user, query or fragment.
func (u *BaseURL) UnmarshalText(b []byte) error {
	p, err := url.Parse(string(b))
	switch {
	case err != nil:
		return errors.New("is not a URL")
	case p.Scheme != "http" && p.Scheme != "https":
		return errors.New("must start with http:// or https://")
	case p.User != nil:
		return errors.New("must not hold a user or password; the key has a variable of its own")
	case p.Hostname() == "" || !validPort(p.Port()):
		return errors.New("must name a host, and a port between 1 and 65535 if any")
	case p.RawQuery != "" || p.ForceQuery || p.Fragment != "":
		return errors.New("must not have a query or fragment")
	}
	*u = BaseURL(strings.TrimRight(p.String(), "/"))
	return nil
}

// Origins are the web origins that may call, each as scheme://host[:port] in
// lower case, in the form in which browsers send them.
type Origins []string

// UnmarshalText accepts a comma-separated list; a wildcard is refused, because
// it would let any page act for its visitor.
func (o *Origins) UnmarshalText(b []byte) error {
	var list Origins
	for item := range splitList(string(b)) {
		origin, err := parseOrigin(item)
		if err != nil {
			return err
		}
		if !slices.Contains(list, origin) {
			list = append(list, origin)
		}
	}
	*o = list
	return nil
}

// String returns the list as it may be written.
func (o Origins) String() string { return strings.Join(o, ",") }

func parseOrigin(s string) (string, error) {
	if strings.Contains(s, "*") {
		return "", fmt.Errorf("%q has a wildcard; list each origin", s)
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !validPort(u.Port()) ||
		u.User != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#") {
		return "", errors.New("every item must be exactly http(s)://host[:port], such as https://school.example")
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	// Browsers leave the scheme's own port out.
	if u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		port = ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return u.Scheme + "://" + host, nil
}

// Networks are address ranges.
type Networks []netip.Prefix

// UnmarshalText accepts a comma-separated list of CIDR ranges and single addresses.
func (n *Networks) UnmarshalText(b []byte) error {
	var list Networks
	for item := range splitList(string(b)) {
		prefix, err := netip.ParsePrefix(item)
		if addr, addrErr := netip.ParseAddr(item); err != nil && addrErr == nil && addr.Zone() == "" {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return fmt.Errorf("%q is not a network such as 10.0.0.0/8 or fd00::/8", item)
		}
		list = append(list, prefix.Masked())
	}
	*n = list
	return nil
}

// String returns the list as it may be written.
func (n Networks) String() string {
	var items []string
	for _, p := range n {
		items = append(items, p.String())
	}
	return strings.Join(items, ",")
}

// Engine is one of Deepgram's two live services.
type Engine string

// The two engines.
const (
	Flux Engine = "flux"
	Nova Engine = "nova"
)

// EngineMap says by language code which engine hears it.
type EngineMap map[string]Engine

// UnmarshalText accepts es=flux,ko=nova.
func (m *EngineMap) UnmarshalText(b []byte) error {
	parsed, err := parseLanguageMap(string(b))
	if err != nil {
		return err
	}
	engines := EngineMap{}
	for lang, v := range parsed {
		e := Engine(strings.ToLower(v))
		if e != Flux && e != Nova {
			return fmt.Errorf("%q for %s is neither flux nor nova", v, lang)
		}
		engines[lang] = e
	}
	*m = engines
	return nil
}

// String returns the map as it may be written, sorted.
func (m EngineMap) String() string { return formatLanguageMap(m) }

// VoiceMap gives the vendor's voice id by language code.
type VoiceMap map[string]string

// UnmarshalText accepts es=ID,fr=ID. An id becomes part of a URL's path, so only
// letters, digits, - and _ are allowed in it.
func (m *VoiceMap) UnmarshalText(b []byte) error {
	parsed, err := parseLanguageMap(string(b))
	if err != nil {
		return err
	}
	for lang, id := range parsed {
		if strings.ContainsFunc(id, func(r rune) bool { return !isWordRune(r) && r != '-' }) {
			return fmt.Errorf("%q for %s is not a voice id (letters, digits, - and _)", id, lang)
		}
	}
	*m = parsed
	return nil
}

// String returns the map as it may be written, sorted.
func (m VoiceMap) String() string { return formatLanguageMap(m) }

// parseLanguageMap reads "es=a,fr=b".
func parseLanguageMap(s string) (map[string]string, error) {
	m := map[string]string{}
	for item := range splitList(s) {
		lang, v, _ := strings.Cut(item, "=")
		lang, v = strings.ToLower(strings.TrimSpace(lang)), strings.TrimSpace(v)
		if v == "" || len(lang) < 2 || len(lang) > 3 || strings.Trim(lang, "abcdefghijklmnopqrstuvwxyz") != "" {
			return nil, fmt.Errorf("%q is not language=value, such as es=…", item)
		}
		if _, twice := m[lang]; twice {
			return nil, fmt.Errorf("language %s is there twice", lang)
		}
		m[lang] = v
	}
	return m, nil
}

func formatLanguageMap[V ~string](m map[string]V) string {
	var items []string
	for _, lang := range slices.Sorted(maps.Keys(m)) {
		items = append(items, lang+"="+string(m[lang]))
	}
	return strings.Join(items, ",")
}

// splitList yields the trimmed items of a comma-separated list, without empty ones.
func splitList(s string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for item := range strings.SplitSeq(s, ",") {
			if item = strings.TrimSpace(item); item != "" && !yield(item) {
				return
			}
		}
	}
}

func isWordRune(r rune) bool {
	return r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

// validPort says whether a URL's port part is absent or a port that can be dialled.
func validPort(port string) bool {
	if port == "" {
		return true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// validHost says whether s can be listened on: an IP address or a host name.
func validHost(s string) bool {
	if net.ParseIP(s) != nil {
		return true
	}
	return s != "" && len(s) <= 253 && !strings.ContainsFunc(s, func(r rune) bool {
		return !isWordRune(r) && r != '-' && r != '.'
	})
}
