# SPDX-License-Identifier: Apache-2.0
"""Prints the counts of a ctest JUnit file as "N passed, N failed, N skipped"; fails when a test did."""

import sys
import xml.etree.ElementTree as xml


def main() -> int:
    passed = failed = skipped = 0
    for case in xml.parse(sys.argv[1]).getroot().iter("testcase"):
        if case.find("failure") is not None or case.get("status") == "fail":
            failed += 1
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            skipped += 1
        else:
            passed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
