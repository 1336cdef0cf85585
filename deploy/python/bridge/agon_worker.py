"""The Python side of agon's bridge: live environments, one worker process for each rank that plays.

agon starts this with three files open: 3, a socket, on which it asks and is answered; 4, memory that both share; 5, the text
of these modules. A request is a word and a number, (code, count); what it is about lies in the shared memory, where the
answer is written, too: for each live environment ("cell") its status, rewards, flags, what agents see and may do. So a step
of many environments is one short message each way. An exception ends the request with its text; the traceback and the play
that led there go to stderr, once."""

import faulthandler
import importlib
import json
import mmap
import os
import random
import signal
import socket
import struct
import sys
import traceback

HELLO, MAP, STEP, MOVE_CHANCE, RESET, REBUILD, VIEW, RENDER, STATE = range(1, 10)
ACTS, ALIVE = 1, 2
RUNNING, CHANCE, TERMINATED, TRUNCATED, FAILED = 0, 1, 2, 3, -1
MOST_SHOWN = 600  # characters of a line of play


class Refused(Exception):
    """What the user can mend: its text is the whole message."""


def parse_arguments(text):
    """{"a": 1} or a=1,b=[1,2],c=text."""
    text = text.strip()
    if not text: return {}
    if text.startswith("{"):
        try: return json.loads(text)
        except ValueError as error: raise Refused(f"env.kwargs is no JSON object: {error}") from None
    out, depth, word, words = {}, 0, "", []
    for letter in text:
        depth += (letter in "[{(") - (letter in "]})")
        if letter == "," and depth == 0: words.append(word); word = ""
        else: word += letter
    for word in words + [word]:
        key, equals, value = word.partition("=")
        if not equals or not key.strip().isidentifier():
            raise Refused(f"env.kwargs: '{word}' is not NAME=VALUE; several are NAME=VALUE,NAME=VALUE, or a JSON object")
        value = value.strip()
        try: out[key.strip()] = json.loads({"True": "true", "False": "false", "None": "null"}.get(value, value))
        except ValueError: out[key.strip()] = value
    return out


def make_game(asked):
    """The game that was asked for, by library and name."""
    library, name, options = asked["library"], asked["name"], asked["options"]
    kwargs = parse_arguments(options["kwargs"])
    if library == "gymnasium":
        import agon_single as single
        return single.Game(*single.make(name, kwargs), options)
    if library == "pettingzoo":
        import agon_many as many
        return many.Game(name, *many.make(name, kwargs), options)
    if library == "openspiel":
        import agon_spiel as spiel
        return spiel.Game(name, kwargs, options)
    if library == "python": return make_own(name, kwargs, options)
    raise Refused(f"no library '{library}'")


def make_own(name, kwargs, options):
    """MODULE:FACTORY of the user's: whatever it makes is known by what it has."""
    module, colon, names = name.partition(":")
    if not colon or not names: raise Refused(f"python:{name} names no factory: python:MODULE:FACTORY, where FACTORY(**kwargs) makes an environment")
    factory = importlib.import_module(module)
    for part in names.split("."):
        if not hasattr(factory, part): raise Refused(f"python:{name}: {module} ({getattr(factory, '__file__', module)}) has no '{part}'")
        factory = getattr(factory, part)
    env = factory(**kwargs)
    if hasattr(env, "action_space") and hasattr(env, "reset") and not hasattr(env, "possible_agents"):
        import agon_single as single
        spec = getattr(env, "spec", None)
        return single.Game(lambda: factory(**kwargs), getattr(spec, "max_episode_steps", None), f"{module}:{names}", options, env)
    if hasattr(env, "possible_agents") and hasattr(env, "reset"):
        import agon_many as many
        return many.Game(name, lambda: factory(**kwargs), f"{module}:{names}", options, env)
    if hasattr(env, "new_initial_state"):
        import agon_spiel as spiel
        return spiel.Game(name, kwargs, options, env)
    raise Refused(f"python:{name} makes a {type(env).__name__}, which is neither an environment of Gymnasium (action_space, reset, step) nor one of "
                  "PettingZoo (possible_agents) nor a game of OpenSpiel")


def missing(error, library):
    """The one sentence for a module that is not there."""
    if library == "python": return f"{sys.executable} finds no module '{error.name}', in this folder or in PYTHONPATH"
    if error.name and error.name.split(".")[0] == library:
        package = {"openspiel": "open_spiel", "pyspiel": "open_spiel"}.get(library, library)
        return f"{sys.executable} has no package '{library}': {sys.executable} -m pip install {package}, or name the Python that has it, AGON_PYTHON=/path/to/python"
    return f"{sys.executable} lacks the module '{error.name}', which the environment imports: install it there, or name the Python that has it, AGON_PYTHON=/path/to/python"


class Memory:
    """The shared memory as arrays, one entry a cell."""

    def __init__(self, np, layout, spec):
        size, cells, batch = layout["size"], layout["cells"], layout["batch"]
        self.map = mmap.mmap(4, size)
        # signs of life: the cell that is at work, and the moves of its episode. By them it is known what hangs, and what it died of.
        self.pulse = memoryview(self.map)[layout["pulse"]:layout["pulse"] + 8].cast("i")

        def array(name, dtype, *shape):
            count = 1
            for n in shape: count *= n
            return np.frombuffer(self.map, dtype, count, layout[name]).reshape(shape)
        agents = spec["agents"]
        self.cell = array("cell", np.int32, batch)
        self.words = array("words", np.int32, batch, layout["row_words"])
        self.values = self.words.view(np.float32)
        self.status = array("status", np.int32, cells)
        self.seed = array("seed", np.uint32, cells)
        self.reward = array("reward", np.float32, cells, agents)
        self.total = array("total", np.float64, cells, agents)
        self.flags = array("flags", np.uint8, cells, agents)
        self.have = array("have", np.uint8, cells, agents)
        self.chances = array("chances", np.int32, cells)
        self.chance = array("chance", np.float64, cells, spec.get("chance", 0))
        self.state = array("state", np.float32, cells, spec.get("state", 0))
        rows = array("rows", np.uint8, cells, layout["row_bytes"])
        masks = array("masks", np.uint8, cells, layout["mask_bytes"])
        self.row, self.mask = [], []
        for agent in range(agents):
            kind = spec["kinds"][spec["kind_of"][agent]]
            size = kind["shape"][0] * kind["shape"][1] * kind["shape"][2] * (1 if kind["bytes"] else 4)
            at = layout["row_at"][agent]
            row = rows[:, at:at + size]
            self.row.append(row if kind["bytes"] else row.view(np.float32))
            at = layout["mask_at"][agent]
            self.mask.append(masks[:, at:at + sum(kind.get("sizes", []))])


class Worker:
    def __init__(self):
        self.socket = socket.socket(fileno=3)
        self.game = self.memory = None
        self.live = {}  # of each cell, with its seed and its past
        self.patterns = {}
        self.fresh = False  # each episode has an environment of its own, as reset does not do all of it
        self.stirred = False  # the environment draws from the generators that a process has one of

    # --- messages ---
    def take(self, size):
        parts = bytearray()
        while len(parts) < size:
            part = self.socket.recv(size - len(parts))
            if not part: os._exit(0)  # the rank is gone
            parts += part
        return bytes(parts)

    def answer(self, code, payload=b""):
        self.socket.sendall(struct.pack("<II", code, len(payload)) + payload)

    def serve(self):
        hear = self.socket.recv
        while True:
            head = hear(8)
            if len(head) < 8: head += self.take(8 - len(head))
            code, count = struct.unpack("<II", head)
            try:
                payload = self.requests[code](self, count)
            except Refused as error: self.answer(2, str(error).encode())
            except BaseException as error: self.report(error)
            else: self.answer(0, payload or b"")

    def report(self, error):
        """The traceback goes to stderr by one write, so that ranks do not mix."""
        cell = self.memory.pulse[0] if self.memory else -1
        where = "before any episode"
        if cell >= 0: self.memory.status[cell] = FAILED
        episode = self.live.get(cell)
        if episode is not None:
            line = " ".join("/".join(map(str, words)) for words in episode.past)
            if len(line) > MOST_SHOWN: line = "... " + line[-MOST_SHOWN:]
            where = f"seed {episode.seed}, move {len(episode.past)}, line of play: {line or '(its beginning)'}"
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        sys.stderr.write(f"agon: {self.title}: an exception in Python; {where}\n{text}")
        sys.stderr.flush()
        # where nothing says what is legal, an action that is not may be the cause
        last = traceback.extract_tb(error.__traceback__)[-1]
        theirs = self.game is not None and not last.filename.startswith("agon/bridge")
        unmasked = theirs and not self.game.spec["masks"] and "sizes" in self.game.spec["kinds"][0]
        hint = "; it gives no action_mask, so that all actions count as legal" if unmasked else ""
        place = f"{os.path.basename(last.filename)}:{last.lineno}"
        self.answer(1, f"{type(error).__name__}: {' '.join(str(error).split())[:120]} ({place}; seed {episode.seed if episode else 'none'}; the traceback is above{hint})".encode())

    # --- requests ---
    def hello(self, size):
        asked = json.loads(self.take(size))
        self.title = f"{asked['library']}:{asked['name']}"
        library = {"openspiel": "pyspiel"}.get(asked["library"], asked["library"])
        if asked["library"] != "python" and "" in sys.path: sys.path.remove("")  # no file of this folder stands in for a package
        try:
            import numpy
        except ModuleNotFoundError as error:
            raise Refused(missing(error, "numpy")) from None
        self.np = numpy
        try:
            from agon_spaces import Unsupported
            try: self.game = make_game(asked)
            except ModuleNotFoundError as error: raise Refused(missing(error, library)) from error
            except Unsupported as error: raise Refused(str(error)) from None
        except Refused: raise
        except Exception as error:
            text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
            sys.stderr.write(f"agon: {self.title} cannot be made\n{text}")
            sys.stderr.flush()
            raise Refused(f"it cannot be made: {type(error).__name__}: {' '.join(str(error).split())[:150]} (the traceback is above)") from None
        spec = self.game.spec
        spec["heads"] = max(len(kind["sizes"] if "sizes" in kind else kind["action_low"]) for kind in spec["kinds"])
        self.try_out(asked["exact"])
        return json.dumps(self.game.spec).encode()

    def try_out(self, exact):
        """Whether the environment uses the generators that there is one of: then they are seeded before every move, from the
        episode's seed and the move's number, so that seed and actions decide everything."""
        np = self.np
        before = random.getstate(), np.random.get_state()[1:3]
        episode = self.game.open()
        self.play_a_little(episode)
        after = random.getstate(), np.random.get_state()[1:3]
        self.stirred = before[0] != after[0] or before[1][1] != after[1][1] or bool((before[1][0] != after[1][0]).any())
        first, second = self.play_a_little(episode), self.play_a_little(episode)
        self.game.spare = episode
        if first == second or not exact: return
        # one whose reset leaves something behind may yet be made anew for each episode
        self.fresh, self.game.spare = True, None
        first, second = self.play_a_little(self.game.open()), self.play_a_little(self.game.open())
        if first == second: return
        at = [one == two for one, two in zip(first, second)].index(False)
        raise Refused(f"seed 1 and the same actions, played twice, differ after {at} steps: it is not decided by its seed and the actions; "
                      "env.exact=false trains it, and a resumed run abandons unfinished episodes")

    def play_a_little(self, episode):
        """What is seen, earned and left to do in a few moves from one seed."""
        np, spec, out = self.np, self.game.spec, []
        self.stir(1, 0)
        episode.restart(1)
        for move in range(24):
            out.append((episode.status, tuple(episode.acting), [float(x) for x in episode.rewards] if move else None, self.look(episode)))
            if episode.status == CHANCE: episode.chance(int(np.argmax(episode.outcomes())))
            elif episode.status == RUNNING:
                self.stir(1, move + 1)
                episode.step(self.any_words(episode))
                if episode.status == RUNNING and not spec["masks"] and getattr(episode, "has_mask", bool)():
                    raise Refused("an action_mask appears after the first move: reset has to give one, too, or every action counts as legal")
            else: break
        return out

    def look(self, episode):
        if episode.status == CHANCE: return None
        spec, rows = self.game.spec, []
        for agent in episode.acting:
            kind = spec["kinds"][spec["kind_of"][agent]]
            row = self.np.zeros(kind["shape"][0] * kind["shape"][1] * kind["shape"][2], self.np.uint8 if kind["bytes"] else self.np.float32)
            episode.observe(agent, row)
            rows.append(row.tobytes())
        return rows

    def any_words(self, episode):
        spec, np, words = self.game.spec, self.np, []
        for agent in (episode.acting[:1] if spec.get("turns") else range(spec["agents"])):
            kind = spec["kinds"][spec["kind_of"][agent]]
            sizes = kind.get("sizes")
            if sizes is None:
                row = [(low + high) / 2 for low, high in zip(kind["action_low"], kind["action_high"])]
            elif spec["masks"] and agent in episode.acting:
                mask, row, at = np.zeros(sum(sizes), np.uint8), [], 0
                episode.mask(agent, mask)
                for n in sizes:
                    row.append(int(mask[at:at + n].argmax()))
                    at += n
            else: row = [0] * len(sizes)
            words += row + [0] * (spec["heads"] - len(row)) if "heads" in spec else row
        return words

    def map(self, size):
        layout = json.loads(self.take(size))
        self.memory = Memory(self.np, layout, self.game.spec)
        self.box = "sizes" not in self.game.spec["kinds"][0]
        self.agents = self.game.spec["agents"]

    def stir(self, seed, move):
        if not self.stirred: return
        mixed = (seed * 0x9E3779B1 + move * 0x85EBCA77) & 0xffffffff
        random.seed(mixed)
        self.np.random.seed(mixed)

    def pattern(self, acting, alive, chance):
        """Flags of all agents as bytes, and whose observations are written. There are few of them in a game, so that they are kept."""
        flags, have = bytearray(self.agents), bytearray(self.agents)
        for agent in alive: flags[agent] = ALIVE
        for agent in acting:
            flags[agent] |= ACTS
            have[agent] = not chance
        self.patterns[acting, alive, chance] = found = bytes(flags), bytes(have)
        return found

    def publish(self, cells, episodes):
        """All that is to be known of these cells, but for what agents see who do not act: that is asked for. What can be is
        written for all of them at once, as a look at an array costs as much as a step of a small environment."""
        memory, np, masks, known = self.memory, self.np, self.game.spec["masks"], self.patterns
        row, mask, found, pulse = memory.row, memory.mask, [], memory.pulse
        for cell, episode in zip(cells, episodes):
            pulse[0] = cell
            acting, chance = episode.acting, episode.status == CHANCE
            key = acting, episode.alive, chance
            found.append(known.get(key) or self.pattern(*key))
            if chance:
                outcomes = episode.outcomes()
                memory.chances[cell] = len(outcomes)
                memory.chance[cell, :len(outcomes)] = outcomes
                continue
            for agent in acting:
                episode.observe(agent, row[agent][cell])
                if masks: episode.mask(agent, mask[agent][cell])
        memory.status[cells] = [episode.status for episode in episodes]
        memory.flags[cells] = np.frombuffer(b"".join([flags for flags, _ in found]), np.uint8).reshape(-1, self.agents)
        memory.have[cells] = np.frombuffer(b"".join([have for _, have in found]), np.uint8).reshape(-1, self.agents)

    def earn(self, cells, episodes):
        rewards = self.np.array([episode.rewards for episode in episodes], float)
        self.memory.reward[cells] = rewards
        self.memory.total[cells] += rewards

    def step(self, count):
        memory, live, stirred, pulse = self.memory, self.live, self.stirred, self.memory.pulse
        cells = memory.cell[:count].tolist()
        words = (memory.values if self.box else memory.words)[:count].tolist()
        episodes = [live[cell] for cell in cells]
        for cell, episode, row in zip(cells, episodes, words):
            past = episode.past
            past.append(row)
            pulse[0] = cell
            pulse[1] = len(past)
            if stirred: self.stir(episode.seed, len(past))
            episode.step(row)
        self.earn(cells, episodes)
        self.publish(cells, episodes)

    def chance(self, count):
        memory = self.memory
        cells = memory.cell[:count].tolist()
        episodes = [self.live[cell] for cell in cells]
        for cell, episode, (outcome, *_) in zip(cells, episodes, memory.words[:count].tolist()):
            episode.past.append([outcome])
            memory.pulse[0] = cell
            memory.pulse[1] = len(episode.past)
            episode.chance(outcome)
        self.earn(cells, episodes)
        self.publish(cells, episodes)

    def begin(self, cell, seed):
        self.memory.seed[cell] = seed
        self.memory.pulse[0] = cell
        self.memory.pulse[1] = 0
        episode = self.live.get(cell)
        if episode is not None and self.fresh and episode.past:
            episode.close()
            episode = None
        if episode is None: episode = self.live[cell] = self.game.open()
        episode.seed, episode.past = seed, []
        self.memory.reward[cell] = 0
        self.memory.total[cell] = 0
        self.stir(seed, 0)
        episode.restart(seed)
        return episode

    def reset(self, size):
        root = CHANCE if self.game.spec.get("chance_first") else RUNNING
        cells, episodes = [], []
        for cell, seed in struct.iter_unpack("<IQ", self.take(size)):
            episode = self.begin(cell, seed & 0x7fffffff)
            if episode.status != root: raise Refused(f"an episode (seed {seed & 0x7fffffff}) begins with status {episode.status}, not {root}")
            cells.append(cell)
            episodes.append(episode)
        self.publish(cells, episodes)

    def rebuild(self, size):
        """A past is played again. The moves of chance have one word."""
        bytes_ = self.take(size)
        cell, seed = struct.unpack_from("<IQ", bytes_)
        width = self.memory.words.shape[1]
        rows = self.np.frombuffer(bytes_, self.np.float32 if self.box else self.np.int32, offset=12).reshape(-1, width).tolist()
        episode = self.begin(cell, seed & 0x7fffffff)
        past, total, pulse = episode.past, self.memory.total[cell], self.memory.pulse
        for row in rows:
            pulse[1] = len(past) + 1
            if episode.status == CHANCE:
                past.append(row[:1])
                episode.chance(row[0])
            elif episode.status == RUNNING:
                past.append(row)
                self.stir(episode.seed, len(past))
                episode.step(row)
            else: break
            total += episode.rewards
        self.publish([cell], [episode])
        if len(past) != len(rows): raise Refused(f"{len(rows)} moves played again end after {len(past)}: the environment is not decided by its seed and "
                                                 "the actions; with env.exact=false it can be trained, without exact resume")

    def view(self, size):
        cell, agent = struct.unpack("<II", self.take(size))
        self.note(cell)
        self.live[cell].observe(agent, self.memory.row[agent][cell])
        self.memory.have[cell, agent] = 1

    def note(self, cell):
        """That this cell is at work."""
        self.memory.pulse[0] = cell
        self.memory.pulse[1] = len(self.live[cell].past)

    def render(self, size):
        cell, = struct.unpack("<I", self.take(size))
        self.note(cell)
        return self.live[cell].picture().encode(errors="replace")

    def state(self, size):
        cell, = struct.unpack("<I", self.take(size))
        self.note(cell)
        self.live[cell].state(self.memory.state[cell])

    requests = {HELLO: hello, MAP: map, STEP: step, MOVE_CHANCE: chance, RESET: reset, REBUILD: rebuild, VIEW: view, RENDER: render, STATE: state}


def end_with(parent):
    """This process is to end when its rank does, whatever it is at: also where an environment never comes back to the socket."""
    import ctypes
    try: ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    except (OSError, AttributeError): return
    if os.getppid() != parent: os._exit(0)


def main():
    # who stops a job stops its ranks, by signals that reach this, too; it ends when its rank does
    to_ranks = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2]
    for number in to_ranks: signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, to_ranks)
    end_with(os.getppid())
    # asked where it is before it is ended, by who has waited for too long
    faulthandler.register(signal.SIGQUIT, all_threads=True, chain=False)
    os.closerange(5, 1 << 16)
    for file in (3, 4): os.set_inheritable(file, False)
    for key, value in (("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1"), ("SDL_VIDEODRIVER", "dummy"), ("SDL_AUDIODRIVER", "dummy"),
                       ("PYGAME_HIDE_SUPPORT_PROMPT", "1")):
        os.environ.setdefault(key, value)
    try: Worker().serve()
    except OSError: os._exit(0)  # the rank is gone
