/* The files around a ledger: the lock, what is set aside, what file system it lies on. */
#include "ledger/ledger_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef F_OFD_SETLK /* Linux; <fcntl.h> shows it with _GNU_SOURCE only */
#define F_OFD_SETLK 37
#endif

/* ---- one writer --------------------------------------------------------------------------------------------------------- */

/* An open-file-description lock goes when the program dies, is not lost when another descriptor of the file is closed (as POSIX locks
 * are), and holds within one process, too. */
int ledger_lock(struct ledger *l, struct err *err)
{
    char path[LEDGER_PATH_MAX + 8];
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    (void)snprintf(path, sizeof(path), "%s.lock", l->path);
    l->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (l->lock < 0) {
        l->fault = errno == ENOSPC || errno == EDQUOT ? LEDGER_FULL : LEDGER_IO;
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    }
    if (!fcntl(l->lock, F_OFD_SETLK, &whole))
        return 0;
    int code = errno;
    ledger_unlock(l);
    l->fault = code == EAGAIN || code == EACCES ? LEDGER_BUSY : LEDGER_IO;
    return l->fault == LEDGER_BUSY
               ? err_set(err, ERR_EXISTS, "%s: another program writes this ledger", l->path)
               : err_set(err, ERR_IO, "%s: cannot be locked: %s", path, strerror(code));
}

/* The file stays: to delete it would let two writers hold locks on two files of one name. What a command made for itself nobody waits for. */
void ledger_unlock(struct ledger *l)
{
    char path[LEDGER_PATH_MAX + 8];

    (void)snprintf(path, sizeof(path), "%s.lock", l->path);
    if (l->lock >= 0 && l->opt.scratch)
        (void)unlink(path);
    if (l->lock >= 0)
        (void)close(l->lock);
    l->lock = -1;
}

/* ---- file systems ------------------------------------------------------------------------------------------------------- */

/* Where locks or memory shared between processes are known to fail, a WAL database gets corrupt (libraries.md 6). */
int ledger_fits_filesystem(const char *path, struct err *err)
{
    static const struct {
        uint32_t type;
        const char *name;
    } bad[] = {{0x6969, "NFS"},       {0x517b, "SMB"},      {0xff534d42, "CIFS"},
               {0xfe534d42, "SMB 2"}, {0x65735546, "FUSE"}, {0x01021997, "9p"}};
    char dir[LEDGER_PATH_MAX];
    struct statfs s;
    const char *slash = strrchr(path, '/');

    if (!slash)
        (void)snprintf(dir, sizeof(dir), ".");
    else
        (void)snprintf(dir, sizeof(dir), "%.*s", slash == path ? 1 : (int)(slash - path), path);
    if (statfs(dir, &s))
        return err_set(err, ERR_IO, "%s: %s", dir, strerror(errno));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if ((uint32_t)s.f_type == bad[i].type)
            return err_set(err, ERR_INVALID, "%s: lies on %s, where a ledger is not safe", path, bad[i].name);
    return 0;
}

/* ---- setting aside ------------------------------------------------------------------------------------------------------- */

static bool is_there(const char *path)
{
    return !access(path, F_OK);
}

/* "PATH.corrupt-20260302T090000Z", with "-2" and so on when that is taken. */
static int choose_name(struct ledger *l, when_ns now)
{
    char time[32], compact[32];
    size_t n = 0;

    (void)when_print(now, time, sizeof(time));
    for (const char *c = time; *c && n + 1 < sizeof(compact); c++)
        if (*c != '-' && *c != ':')
            compact[n++] = *c;
    compact[n] = '\0';
    for (int i = 1; i < 1000; i++) {
        if (i == 1)
            (void)snprintf(l->aside, sizeof(l->aside), "%s.corrupt-%s", l->path, compact);
        else
            (void)snprintf(l->aside, sizeof(l->aside), "%s.corrupt-%s-%d", l->path, compact, i);
        if (!is_there(l->aside))
            return 0;
    }
    return ERR_EXISTS;
}

int ledger_move_aside(struct ledger *l, when_ns now, struct err *err)
{
    static const char *const parts[] = {"-wal", "-shm",
                                        ""}; /* the file itself last: it says that it is done */
    char from[LEDGER_PATH_MAX + 8], to[sizeof(l->aside) + 8];

    if (choose_name(l, now))
        return err_set(err, ERR_EXISTS, "%s: too many corrupt files stand beside it", l->path);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        (void)snprintf(from, sizeof(from), "%s%s", l->path, parts[i]);
        (void)snprintf(to, sizeof(to), "%s%s", l->aside, parts[i]);
        if (rename(from, to) && (errno != ENOENT || !*parts[i])) {
            l->fault = LEDGER_IO;
            return err_set(err, ERR_IO, "%s: is corrupt and cannot be set aside: %s", from, strerror(errno));
        }
    }
    l->set_aside = true;
    return 0;
}
