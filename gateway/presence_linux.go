package gateway

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// hungUp says whether the other end of a connection has closed it, as far as the kernel
// knows by now. It does not block and takes nothing from the connection: what was sent
// before the end may still wait to be read, and does not hide it. An end that vanished
// without a word, or a connection that has no socket, is not seen.
func hungUp(conn net.Conn) bool {
	if over, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = over.NetConn()
	}
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return true // closed at this end
	}
	gone := false
	err = raw.Control(func(fd uintptr) {
		const ends = unix.POLLRDHUP | unix.POLLHUP | unix.POLLERR
		ask := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(ask, 0)
		gone = err == nil && n > 0 && ask[0].Revents&ends != 0
	})
	return gone || err != nil
}
