"""Proves an export of the trail (`baton trail export`) with nothing but Python and the key of the trail.

    python verify_trail.py EXPORT KEY_FILE [HEAD]

HEAD: a head that was mailed or printed, 16 characters at least; the export must end with it, so that a tail cut off is found.
"""

import hashlib
import hmac
import json
import sys


def prove(path, key, head=""):
    """How many events were proven, how many are gone from its beginning, and the head. SystemExit names the first line that is wrong."""
    events, previous, total, proven, gone, number = [], None, 0, 0, 0, 0
    with open(path, encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                said = json.loads(line)
                if number == 1:
                    previous, total = said["previous"], said["total"]
                elif "seal" not in said:
                    events.append(line.encode())
                else:
                    seal, digest, pruned = said.pop("seal"), said.pop("digest"), said.pop("pruned")
                    covered = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
                    if said["format"] == 1:
                        covered = b"".join([said["previous"].encode(), *events])
                    content = said.get("content") if pruned else hmac.new(key, b"".join(events), hashlib.sha256).hexdigest()
                    proof = hmac.new(key, covered, hashlib.sha256).hexdigest()
                    fits = pruned and not proven or len(events) == said["events"]
                    fits = fits and proof == digest if said["format"] != 1 or not pruned else fits
                    fits = fits and said.get("content", content) == content and not (pruned and events)
                    if not fits or said["previous"] != previous or said["total"] != total + said["events"]:
                        raise ValueError(f"seal {seal} does not fit")
                    gone += said["events"] - len(events)
                    previous, total, proven, events = digest, said["total"], proven + len(events), []
            except (ValueError, KeyError, TypeError, AttributeError) as wrong:
                raise SystemExit(f"{path}, line {number}: this was changed, taken away or put in ({wrong}).") from wrong
    if events or previous is None:
        raise SystemExit(f"{path}, line {number}: the end is missing.")
    if len(head) < 16 and head or not previous.startswith(head):
        raise SystemExit(f"{path} ends with the head {previous}, and not with {head}: the end is missing, or it is another trail.")
    return proven, gone, previous


if __name__ == "__main__":
    with open(sys.argv[2], "rb") as file:
        found = prove(sys.argv[1], file.read().strip(), *sys.argv[3:4])
    print(f"{found[0]} events proven, {found[1]} removed before them, head {found[2]}")
