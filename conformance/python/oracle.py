#!/usr/bin/env python3
"""CPython's socketserver as a subject of the conformance harness.

Orders come in on standard input, reports go out on standard output, one JSON
document a line (the crate's `wire` module says which).  Only the standard
library is used, and nothing newer than Python 3.8.

Every hook is wrapped: it reports its name when it is entered, does what the
scenario says for this call, or else calls the stock one.
"""
import json
import os
import platform
import socket
import socketserver
import sys
import threading

MAIN_PID = os.getpid()
MAIN_THREAD = threading.get_ident()
REPORTS = os.dup(1)


def report(kind, **what):
    message = {kind: what} if what else kind
    # One write: what children report must not be mixed with it.
    os.write(REPORTS, (json.dumps(message) + "\n").encode())


class Orders:
    """What the harness says, read by a thread of its own: `stop` must be heard
    while the main thread serves."""

    def __init__(self):
        self.changed = threading.Condition()
        self.waiting = []
        self.server = None
        self.stoppers = []
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in sys.stdin:
            order = json.loads(line)
            if order == "stop":
                stopper = threading.Thread(target=self.server.shutdown, daemon=True)
                self.stoppers.append(stopper)
                stopper.start()
                continue
            with self.changed:
                self.waiting.append(order)
                self.changed.notify()
        os._exit(0)

    def next(self):
        with self.changed:
            while not self.waiting:
                self.changed.wait()
            return self.waiting.pop(0)


class Injected(Exception):
    """A failure that the scenario asked for."""


class InjectedOSError(OSError):
    """The same, of the kind that get_request may raise."""


def describe(error):
    """An exception as a word, the same one as the other subject's."""
    if isinstance(error, (Injected, InjectedOSError)):
        return "injected-" + str(error.args[0])
    if isinstance(error, SystemExit):
        return "exit-%s" % error.code
    if isinstance(error, KeyboardInterrupt):
        return "interrupt"
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "timeout"
    if isinstance(error, ConnectionResetError):
        return "reset"
    if isinstance(error, BrokenPipeError):
        return "broken-pipe"
    if isinstance(error, OSError):
        return "os-%s" % error.errno
    return type(error).__name__


def outcome(error):
    return "raised " + describe(error)


class Run:
    """One scenario: what its hooks do, and how far it has come."""

    def __init__(self, scenario, orders):
        self.scenario = scenario
        self.orders = orders
        self.acts = {(act["hook"], act["at"]): act["does"] for act in scenario["acts"]}
        self.turns = 0          # calls of get_request
        self.timeouts = 0       # calls of handle_timeout
        self.requests = []      # kept, so that nothing is closed by being forgotten
        self.current = None     # the last request accepted
        self.worker = threading.local()
        self.stop_at = None     # turns after which service_actions stops the loop
        self.acted = set()      # acts of service_actions that are done

    def request_number(self):
        return getattr(self.worker, "request", self.current)

    def enter(self, hook, at=None, about_request=True, **more):
        """Reports a call and says what it does."""
        if at is None:
            at = self.request_number()
        does = self.acts.get((hook, at))
        if hook == "service_actions":
            does = self.service_act()
        if os.getpid() != MAIN_PID:
            actor = "child"
        elif threading.get_ident() != MAIN_THREAD:
            actor = "worker"
        else:
            actor = "main"
        call = {"actor": actor, "pid": os.getpid(), "hook": hook}
        if about_request:
            call["request"] = self.request_number()
        if does is not None:
            call["does"] = does
        call.update(more)
        report("hook", **call)
        return does

    def service_act(self):
        for (hook, at), does in sorted(self.acts.items(), key=str):
            if hook == "service_actions" and self.turns >= at and at not in self.acted:
                self.acted.add(at)
                return does
        return None

    def do(self, does, hook, server):
        """The acts that mean the same in every hook."""
        if does == "panic":
            raise Injected(hook)
        if does == "error":
            raise Injected(hook)
        if does == "interrupt":
            raise KeyboardInterrupt
        if isinstance(does, dict) and "exit" in does:
            raise SystemExit(does["exit"])
        if does == "stop":
            # What shutdown() does, without waiting.
            server._BaseServer__shutdown_request = True
        if does == "shutdown":
            server.shutdown()


def server_class(run):
    scenario = run.scenario
    base = {"tcp": socketserver.TCPServer, "udp": socketserver.UDPServer,
            "unix_stream": getattr(socketserver, "UnixStreamServer", None),
            "unix_datagram": getattr(socketserver, "UnixDatagramServer", None)}[scenario["transport"]]
    mixin = {"synchronous": (), "thread_per_request": (socketserver.ThreadingMixIn,),
             "thread_pool": (socketserver.ThreadingMixIn,),
             "rayon_pool": (socketserver.ThreadingMixIn,),
             "fork": (getattr(socketserver, "ForkingMixIn", None),)}[scenario["strategy"]]
    if base is None or mixin == (None,):
        return None
    # Made by hand: the forking Unix servers have names from 3.12 on only.
    stock = type("Stock", mixin + (base,), {})

    class Server(stock):
        allow_reuse_address = False
        request_queue_size = 64

        def server_close(self):
            run.enter("server_close", about_request=False)
            super().server_close()

        def get_request(self):
            at = run.turns
            run.turns += 1
            does = run.enter("get_request", at, about_request=False)
            if does == "error":
                raise InjectedOSError("get_request")
            run.do(does, "get_request", self)
            got = super().get_request()
            run.current = len(run.requests)
            run.requests.append(got[0])
            return got

        def verify_request(self, request, client_address):
            does = run.enter("verify_request")
            if does == "refuse":
                return False
            if does == "refuse_by_none":
                return None
            if does == "error":
                raise InjectedOSError("verify_request")
            run.do(does, "verify_request", self)
            return super().verify_request(request, client_address)

        def process_request(self, request, client_address):
            does = run.enter("process_request")
            if does == "spawn_fails":
                with Unable(scenario["strategy"]):
                    return super().process_request(request, client_address)
            run.do(does, "process_request", self)
            if hasattr(stock, "process_request_thread"):
                # The number goes along to the thread.
                client_address = (run.current, client_address)
            return super().process_request(request, client_address)

        if hasattr(stock, "process_request_thread"):
            def process_request_thread(self, request, client_address):
                run.worker.request, client_address = client_address
                does = run.enter("process_request_thread")
                run.do(does, "process_request_thread", self)
                super().process_request_thread(request, client_address)

        def finish_request(self, request, client_address):
            does = run.enter("finish_request")
            run.do(does, "finish_request", self)
            super().finish_request(request, client_address)

        def handle_error(self, request, client_address):
            error = sys.exc_info()[1]
            words = describe(error)
            if error.__context__ is not None:
                words += "<-" + describe(error.__context__)
            does = run.enter("handle_error", error=words)
            run.do(does, "handle_error", self)

        def shutdown_request(self, request):
            does = run.enter("shutdown_request")
            run.do(does, "shutdown_request", self)
            super().shutdown_request(request)

        def close_request(self, request):
            does = run.enter("close_request")
            run.do(does, "close_request", self)
            super().close_request(request)

        def handle_timeout(self):
            at = run.timeouts
            run.timeouts += 1
            does = run.enter("handle_timeout", at, about_request=False)
            super().handle_timeout()
            run.do(does, "handle_timeout", self)

        def service_actions(self):
            if run.stop_at is not None and run.turns >= run.stop_at:
                self._BaseServer__shutdown_request = True
            does = run.enter("service_actions", about_request=False)
            super().service_actions()
            run.do(does, "service_actions", self)

        if hasattr(stock, "collect_children"):
            def collect_children(self, **how):
                run.enter("collect_children", about_request=False)
                super().collect_children(**how)

    options = scenario["options"]
    if "timeout" in options:
        Server.timeout = options["timeout"] / 1000
    elif "fork" == scenario["strategy"]:
        Server.timeout = None
    for name in ("max_packet_size", "max_children"):
        if name in options:
            setattr(Server, name, options[name])
    return Server


class Unable:
    """Makes Thread.start or os.fork fail, as the system does at its limits."""

    def __init__(self, strategy):
        self.place = (os, "fork") if strategy == "fork" else (threading.Thread, "start")

    def __enter__(self):
        self.stock = getattr(*self.place)

        def fail(*_):
            raise Injected("process_request")
        setattr(*self.place, fail)

    def __exit__(self, *_):
        setattr(*self.place, self.stock)


class RawFiles:
    """What a handler without files reads and writes with."""

    def __init__(self, request):
        self.packet, self.socket = (None, request) if not isinstance(request, tuple) else request

    def read(self, size=-1):
        if self.packet is not None:
            size = len(self.packet) if size < 0 else size
            data, self.packet = self.packet[:size], self.packet[size:]
            return data
        data = b""
        while size < 0 or len(data) < size:
            piece = self.socket.recv(8192 if size < 0 else size - len(data))
            if not piece:
                break
            data += piece
        return data

    def readline(self):
        line = b""
        while not line.endswith(b"\n"):
            byte = self.read(1)
            if not byte:
                break
            line += byte
        return line

    def reply_to(self, client_address):
        self.client_address = client_address
        return self

    def write(self, data):
        if self.packet is None:
            self.socket.sendall(data)
        else:
            self.socket.sendto(data, self.client_address)

    def flush(self):
        pass


def handler_class(run):
    scenario = run.scenario
    stream = scenario["transport"] in ("tcp", "unix_stream")
    files = scenario["handler"] == "files"
    if files:
        base = socketserver.StreamRequestHandler if stream else socketserver.DatagramRequestHandler
    else:
        base = socketserver.BaseRequestHandler

    class Handler(base):
        def __init__(self, request, client_address, server):
            does = run.enter("init")
            run.do(does, "init", server)
            super().__init__(request, client_address, server)

        def setup(self):
            does = run.enter("setup")
            run.do(does, "setup", self.server)
            super().setup()

        def handle(self):
            does = run.enter("handle")
            if files:
                rfile, wfile = self.rfile, self.wfile
            else:
                rfile = wfile = RawFiles(self.request).reply_to(self.client_address)
            self.play(rfile, wfile)
            run.do(does, "handle", self.server)

        def play(self, rfile, wfile):
            last = b""
            for op in scenario["handle"]:
                if op == "read_line":
                    last = rfile.readline()
                elif op == "read_all":
                    last = rfile.read()
                elif op == "reply":
                    wfile.write(b"re:" + last)
                elif op == "flush":
                    wfile.flush()
                elif op == "echo_lines":
                    while True:
                        last = rfile.readline()
                        if not last:
                            break
                        wfile.write(b"re:" + last)
                elif "read_exact" in op:
                    last = self.exactly(rfile, op["read_exact"])
                else:
                    wfile.write(op["write"].encode())

        def exactly(self, rfile, size):
            data = b""
            while len(data) < size:         # a raw rfile gives what one receive brings
                piece = rfile.read(size - len(data))
                if not piece:
                    break
                data += piece
            return data

        def finish(self):
            does = run.enter("finish")
            super().finish()
            run.do(does, "finish", self.server)

    options = scenario["options"]
    if stream and files:
        if "handler_timeout" in options:
            Handler.timeout = options["handler_timeout"] / 1000
        for name in ("rbufsize", "wbufsize", "disable_nagle_algorithm"):
            if name in options:
                setattr(Handler, name, options[name])
    return Handler


def drive(run, server):
    poll = run.scenario["options"].get("poll_interval", 10) / 1000
    for verb in run.scenario["drive"]:
        try:
            if verb == "handle_request":
                server.handle_request()
            else:
                stop = verb["serve_forever"]
                run.stop_at = None if stop == "asked" else stop["turns"]
                server.serve_forever(poll)
            report("verb", outcome="returned")
        except BaseException as error:      # whatever comes out is the result
            report("verb", outcome=outcome(error))
    report("driven")


def play(order, orders):
    scenario, path = order["scenario"], order["path"]
    run = Run(scenario, orders)
    stock = server_class(run)
    if stock is None:
        report("unsupported", why="no such class on this platform")
        return
    address = path if scenario["transport"].startswith("unix") else ("127.0.0.1", 0)
    server = stock(address, handler_class(run))
    if "socket_timeout" in scenario["options"]:
        server.socket.settimeout(scenario["options"]["socket_timeout"] / 1000)
    orders.server, orders.stoppers = server, []
    before = set(threading.enumerate())
    threading.excepthook = lambda args: report(
        "escaped", request=run.worker.request, what=describe(args.exc_value or args.exc_type()))

    real_waitpid = os.waitpid

    def waitpid(pid, options):
        got, status = real_waitpid(pid, options)
        if got:
            code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
            report("exit", pid=got, status=code)
        return got, status
    os.waitpid = waitpid

    report("ready", port=None if isinstance(address, str) else server.server_address[1])
    while True:
        order = orders.next()
        if order == "drive":
            drive(run, server)
        elif order == "close":
            # server_close takes the socket away from datagrams that are still being
            # answered, which would be a matter of luck.
            for thread in threading.enumerate():
                if thread not in before and thread not in orders.stoppers:
                    thread.join(10)
            try:
                server.server_close()
                how = "returned"
            except BaseException as error:
                how = outcome(error)
            for stopper in orders.stoppers:
                stopper.join(2)
            left = ["shutdown" for stopper in orders.stoppers if stopper.is_alive()]
            left += ["thread" for thread in threading.enumerate()
                     if thread not in before and thread not in orders.stoppers]
            left += ["child" for _ in getattr(server, "active_children", None) or ()]
            report("closed", outcome=how, left=left)
        else:
            break
    os.waitpid = real_waitpid
    server.socket.close()
    for request in run.requests:
        if not isinstance(request, tuple):
            request.close()


def main():
    # Nobody reads what stray tracebacks say.
    report("hello", version="%s %s" % (platform.python_implementation(), platform.python_version()))
    orders = Orders()
    while True:
        play(orders.next()["run"], orders)


main()
