"""CPU time, memory and files of a process and its descendants, from /proc."""

import os
import pathlib
import signal
import socket

TICK = os.sysconf("SC_CLK_TCK")


def tree(pid):
    """The process and its descendants."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except OSError:
            continue
        for child in children:
            found += tree(int(child))
    return found


def cpu_seconds(pid):
    """User and system time of the process and its descendants."""
    total = 0
    for one in tree(pid):
        fields = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def memory_bytes(pid, name="VmHWM:"):
    """Resident memory of the process and its descendants: the peak, or with `VmRSS:` that of now."""
    total = 0
    for one in tree(pid):
        for line in pathlib.Path(f"/proc/{one}/status").read_text().splitlines():
            if line.startswith(name):
                total += int(line.split()[1]) * 1024
    return total


def files(folder):
    """All files and folders below a folder, with their stat."""
    stack = [folder]
    while stack:
        with os.scandir(stack.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                yield entry.path, entry.stat(follow_symlinks=False)


def disk_use(folder):
    """Bytes of the file system's blocks, and inodes."""
    size = inodes = 0
    for _, stat in files(folder):
        size += stat.st_blocks * 512
        inodes += 1
    return size, inodes


def forget(paths):
    """Takes files out of the page cache. Root is not needed, so the caches of other files stay."""
    os.sync()
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def end(process, number=signal.SIGTERM):
    """Ends a process that was started here, and waits for it."""
    if process.poll() is None:
        process.send_signal(number)
    process.wait(60)
