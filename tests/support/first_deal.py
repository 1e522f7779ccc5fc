"""The first deal, shown live: what ./run runs. Every step is a command that a user types, and is checked."""
import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import deals, offers, world  # noqa: E402

STEP = 0


def step(text):
    global STEP
    STEP += 1
    print(f"\n{STEP:2}. {text}", flush=True)


def show(text):
    for line in text.rstrip().splitlines():
        print(f"      {line}", flush=True)


def true(condition, what):
    if not condition:
        raise SystemExit(f"\nNOT AS IT SHOULD BE: {what}")
    print(f"      ok: {what}", flush=True)


def story(scene):
    broker = world.Broker(scene, "ACE West-Brabant")
    snijder = world.Node(scene, "Snijder Logistiek BV", "12345678", "M. de Wit", "directeur")
    versgoed = world.Node(scene, "Versgoed Bakkerijen BV", "23456789", "J. Verhagen", "hoofd personeel")
    havendok = world.Node(scene, "Havendok 13 BV", "34567890", "I. Brouwers", "bedrijfsleider")
    nodes = [snijder, versgoed, havendok]

    step("A sector network, ACE West-Brabant, makes its broker and starts it.")
    show(broker.init().stdout)
    broker.start()
    endpoint = broker.endpoint
    show(f"listening on {endpoint}")

    step("Three employers make a node each, join with an invitation, and start it.")
    for node in nodes:
        node.init()
        show(node("join", broker.invite(node.name, node.kvk)).stdout)
        node.start()
    true(sum(member["role"] == "employer" for member in broker.json("members")["members"]) == 3, "the broker knows three members")

    step("Snijder has too little work in the first quarter and offers twelve warehouse workers; the others publish too.")
    out = snijder.publish(offers.load("logistiek-magazijn-uit"), "--wait", world.WAIT)
    show(f"Snijder publishes    {out}   receipted by the broker, on disk")
    wanted = versgoed.publish(offers.load("voedsel-orderpickers-in"), "--wait", world.WAIT)
    show(f"Versgoed publishes   {wanted}   eight order pickers for the Easter campaign")
    snijder.publish(offers.load("logistiek-heftruck-uit"), "--wait", world.WAIT)
    havendok.publish(offers.load("logistiek-heftruck-in"), "--wait", world.WAIT)
    show("Snijder and Havendok 13 publish fork-lift drivers, offered and wanted")

    step("Versgoed's node has found what fits. Nobody searched, nobody telephoned.")
    matches = versgoed.json("match", "list", "--offer", wanted, "--wait", world.WAIT)["matches"]
    match = next(m for m in matches if m["counter"] == out)
    show(versgoed("match", "show", match["id"], "--lang", "nl").stdout)
    true(match["score"] > 0.5 and match["reasons"], f"a match of {match['score']:.2f}, with its reasons")

    step("Versgoed proposes to borrow six of them, at cost price: signed, people held, sealed to Snijder.")
    deal = versgoed("deal", "propose", match["id"], "--headcount", "6", "--hours", "32", "--rate", "23,80",
                    "--wait", world.WAIT).stdout.strip()
    show(f"deal {deal}")
    received = deals.received(snijder, deal)
    true(received["terms"]["headcount"] == 6 and received["terms"]["rates"]["hourly_cents"] == 2380,
         "Snijder reads the proposal; the broker could not")

    step("Snijder accepts. The decider's register makes it an agreement, for both at once.")
    accepted = snijder.json("deal", "accept", deal, "--wait", world.WAIT)
    concluded = versgoed.deal(deal, "--wait", world.WAIT)
    show(snijder("deal", "list", "--lang", "nl").stdout)
    done = ("concluded", "active")
    true(accepted["state"] in done and concluded["state"] in done, "concluded at Snijder and at Versgoed")

    step("The proof is one file; it verifies anywhere, without node, ledger or network.")
    proof = scene / "proof.collega"
    proof.write_bytes(deals.prove(versgoed, deal))
    nowhere = {"HOME": "/nonexistent", "PATH": "/nonexistent", "COLLEGA_HOME": ""}
    verified = world.call([versgoed.program, "verify", proof, "--lang", "nl"], env=nowhere)
    show(verified.stdout)
    fingerprint = broker.json("status")["broker"]["fingerprint"]
    trusted = json.loads(world.call([versgoed.program, "verify", "--json", "--trust", fingerprint, proof]).stdout)
    true(trusted["valid"] and trusted["trusted"], f"valid, and trusted when ACE's fingerprint is given ({proof.stat().st_size} bytes)")

    step("One bit is changed in the middle of the file.")
    forged = bytearray(proof.read_bytes())
    forged[len(forged) // 2] ^= 1
    (scene / "forged.collega").write_bytes(forged)
    refused = world.call([versgoed.program, "verify", scene / "forged.collega", "--lang", "nl"], expect=1)
    show(refused.stdout + refused.stderr)
    true(refused.returncode == 1, "verify says what does not fit, and exits 1")

    step("Both ledgers verify, entry by entry.")
    for node in nodes:
        show(f"{node.name}: " + node("ledger", "verify", "--lang", "nl").stdout)
    return broker, nodes


def next_commands(broker, nodes):
    bin_directory = world.binaries()
    print(f"""
Everything stays up. In another terminal:

  export PATH={bin_directory}:$PATH
  export COLLEGA_HOME={nodes[2].home}                 # Havendok 13 looks for fork-lift drivers
  collega status
  collega offer list
  collega match list
  collega deal propose MATCH --headcount 2 --wait 20

  collega --home {nodes[0].home} deal list            # Snijder
  collega --home {nodes[0].home} deal accept ID --wait 20
  collega --home {nodes[0].home} deal prove ID > proof.collega && collega verify proof.collega

  collega-broker --home {broker.home} status
  curl -s http://{(broker.home / 'http').read_text().strip().removeprefix('http://')}/metrics

Ctrl-C ends it and removes {nodes[0].home.parent}.""", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="./run")
    parser.add_argument("--bin", required=True, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--once", action="store_true", help="show it and exit")
    options = parser.parse_args()
    os.environ["COLLEGA_BIN"] = str(options.bin.resolve())
    os.environ.setdefault("COLLEGA_TEST_DEADLINE", "20")
    scene = Path(tempfile.mkdtemp(prefix="collega-run-"))
    daemons = []
    try:
        broker, nodes = story(scene)
        daemons = [*nodes, broker]
        print("\nEverything came true.", flush=True)
        if not options.once:
            next_commands(broker, nodes)
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
    except world.Failed as failure:
        print(f"\nNOT AS IT SHOULD BE:\n{failure}", file=sys.stderr)
        for log in sorted(scene.glob("*.log")):
            print(f"--- {log.name}\n{log.read_text(errors='replace')[-2000:]}", file=sys.stderr)
        return 1
    finally:
        for daemon in daemons:
            daemon.stop()
        shutil.rmtree(scene, ignore_errors=True)
    return 0


if __name__ == "__main__":
    if "--once" not in sys.argv:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    sys.exit(main())
