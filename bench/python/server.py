"""CPython's socketserver as a subject of the benchmark: `server.py SUBJECT WORKLOAD`.

Lines of 64 bytes come back as they are; one that begins with B blocks for 5 ms first, one that begins with Q ends the
connection.
"""

import ctypes
import os
import resource
import signal
import socketserver
import sys
import tempfile
import threading
import time


class Lines(socketserver.StreamRequestHandler):
    """Sends lines back until the client ends, or asks for the end."""

    def handle(self):
        while line := self.rfile.readline():
            if line[:1] == b"B":
                time.sleep(0.005)
            self.wfile.write(line)
            if line[:1] == b"Q":
                return


class TcpLines(Lines):
    disable_nagle_algorithm = True


class Packet(socketserver.DatagramRequestHandler):
    """Sends a packet back."""

    def handle(self):
        packet = self.rfile.read()
        if packet[:1] == b"B":
            time.sleep(0.005)
        self.wfile.write(packet)


def server(subject, workload):
    """The server, and what it is called."""
    mix_in = {
        "cpython-sync": "",
        "cpython-threading": "Threading",
        "cpython-forking": "Forking",
    }[subject]
    if workload.startswith("udp-"):
        cls = getattr(socketserver, mix_in + "UDPServer")
        made = cls(("127.0.0.1", 0), Packet)
        return made, "udp 127.0.0.1:%d" % made.server_address[1]
    if workload == "unix":
        cls = getattr(socketserver, mix_in + "UnixStreamServer")
        cls.request_queue_size = 4096
        path = os.path.join(tempfile.gettempdir(), "socketserver-bench-%d.sock" % os.getpid())
        return cls(path, Lines), "unix " + path
    cls = getattr(socketserver, mix_in + "TCPServer")
    cls.request_queue_size = 4096
    if mix_in == "Forking":
        cls.max_children = 100
    made = cls(("127.0.0.1", 0), TcpLines)
    return made, "tcp 127.0.0.1:%d" % made.server_address[1]


def end_with_parent():
    """Whatever becomes of the one who measures, nothing is left behind."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, int(signal.SIGKILL))


def main():
    end_with_parent()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    subject, workload = sys.argv[1:]
    made, address = server(subject, workload)
    print(address, flush=True)
    if not workload.startswith("stop-"):
        made.serve_forever()
        return
    threading.Thread(target=made.serve_forever).start()
    sys.stdin.readline()
    order = time.perf_counter_ns()
    made.shutdown()
    made.server_close()
    print("stopped", time.perf_counter_ns() - order, flush=True)


main()
