// A goroutine for each connection, as a subject of the benchmark: `main SUBJECT WORKLOAD`.
//
// Lines of 64 bytes come back as they are; one that begins with B blocks for 5 ms first, one that begins with Q ends
// the connection.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

func converse(connection net.Conn) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return
		}
		if line[0] == 'B' {
			time.Sleep(5 * time.Millisecond)
		}
		last := line[0] == 'Q'
		if _, err := connection.Write(line); err != nil || last {
			return
		}
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	workload := os.Args[2]
	// Whatever becomes of the one who measures, nothing is left behind.
	syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0)
	var limit syscall.Rlimit
	fail(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	limit.Cur = limit.Max
	fail(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	kind, address := "tcp", "127.0.0.1:0"
	if workload == "unix" {
		kind = "unix"
		address = filepath.Join(os.TempDir(), fmt.Sprintf("socketserver-bench-%d.sock", os.Getpid()))
	}
	// TCP_NODELAY is Go's default.
	listener, err := net.Listen(kind, address)
	fail(err)
	fmt.Println(kind, listener.Addr())
	for {
		connection, err := listener.Accept()
		fail(err)
		go converse(connection)
	}
}
