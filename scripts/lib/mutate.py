"""Breaks five rules of the money on purpose, one after the other, and shows that the simulation
catches each: scripts/soak mutations. The sources are put back as they were."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MUTATIONS = [
    ("a refund does not hold the payout", "src/payments/give_back.cpp",
     "  if (funding.source == Source::held)\n    payouts::hold(",
     "  if (funding.source == Source::platform)\n    payouts::hold("),
    ("a payout does not wait for its day", "src/payouts/batches.cpp",
     "AND due_at <= $3 OR state = 'failed' AND retry_at <= $3)\n    ORDER BY",
     "AND due_at <= $3::timestamptz + interval '9 days' OR state = 'failed' AND retry_at <= $3)\n"
     "    ORDER BY"),
    ("no answer is taken for a no", "src/attempts/attempts.cpp",
     "    case Verdict::not_found:\n    case Verdict::unknown:\n      return Event::lose;",
     "    case Verdict::not_found:\n    case Verdict::unknown:\n      return Event::fail;"),
    ("what is on its way back counts as there", "src/payments/give_back.cpp",
     "payment.amount.amount - payment.refunded - payment.refunding - payment.disputed;",
     "payment.amount.amount - payment.refunded;"),
    ("what has failed counts for a limit", "src/payments/payments.cpp",
     "  risk::release(tx,", "  if (payment.amount.amount < 0) risk::release(tx,"),
    ("an order that is not sent is forgotten", "src/payments/give_back.cpp",
     "  if (sale.order.state != orders::State::paid) return;\n",
     "  if (sale.order.state == orders::State::paid) return;\n"),
]


def soak():
    built = subprocess.run(["ninja", "-C", str(ROOT / "build/bench"), "bottega_soak"],
                           capture_output=True, text=True)
    if built.returncode != 0:
        sys.exit(built.stdout)
    return subprocess.run([str(ROOT / "build/bench/bottega_soak"), "--histories", "2000"],
                          capture_output=True, text=True, cwd=ROOT)


def main():
    missed = 0
    for words, name, old, new in MUTATIONS:
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            sys.exit(f"{name} is not what this script knows: {words}")
        try:
            path.write_text(text.replace(old, new), encoding="utf-8")
            ran = soak()
        finally:
            path.write_text(text, encoding="utf-8")
        caught = ran.returncode != 0
        missed += not caught
        print(f"{'caught' if caught else 'MISSED'}: {words}", flush=True)
        if caught:
            print("  " + ran.stdout.strip().splitlines()[-1][:200], flush=True)
    sys.exit(missed)


main()
