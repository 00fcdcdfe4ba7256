#include "fake.h"

#include <sqlite3.h>
#include <string.h>

/* ---- disk --------------------------------------------------------------------------------------------------------------- */

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    uint64_t writes, fail_at;
    int code;
} disk;

struct fake_file {
    sqlite3_file base;
    /* the real file follows */
};

static sqlite3_file *real_of(sqlite3_file *f)
{
    return (sqlite3_file *)((struct fake_file *)f + 1);
}

static int count_write(void)
{
    disk.writes++;
    return disk.fail_at && disk.writes >= disk.fail_at ? disk.code : SQLITE_OK;
}

static int fake_close(sqlite3_file *f)
{
    return real_of(f)->pMethods->xClose(real_of(f));
}

static int fake_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 at)
{
    return real_of(f)->pMethods->xRead(real_of(f), buf, n, at);
}

/* A torn write: half of it arrives. */
static int fake_write(sqlite3_file *f, const void *buf, int n, sqlite3_int64 at)
{
    int rc = count_write();

    if (rc) {
        (void)real_of(f)->pMethods->xWrite(real_of(f), buf, n / 2, at);
        return rc;
    }
    return real_of(f)->pMethods->xWrite(real_of(f), buf, n, at);
}

static int fake_truncate(sqlite3_file *f, sqlite3_int64 n)
{
    return real_of(f)->pMethods->xTruncate(real_of(f), n);
}

static int fake_sync(sqlite3_file *f, int flags)
{
    int rc = count_write();

    return rc ? SQLITE_IOERR_FSYNC : real_of(f)->pMethods->xSync(real_of(f), flags);
}

static int fake_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), ret);
}

static int fake_lock(sqlite3_file *f, int how)
{
    return real_of(f)->pMethods->xLock(real_of(f), how);
}

static int fake_unlock(sqlite3_file *f, int how)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), how);
}

static int fake_reserved(sqlite3_file *f, int *ret)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), ret);
}

static int fake_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int fake_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int fake_device(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int fake_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, ret);
}

static int fake_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), at, n, flags);
}

static void fake_shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int fake_shm_unmap(sqlite3_file *f, int del)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), del);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = fake_close,
    .xRead = fake_read,
    .xWrite = fake_write,
    .xTruncate = fake_truncate,
    .xSync = fake_sync,
    .xFileSize = fake_size,
    .xLock = fake_lock,
    .xUnlock = fake_unlock,
    .xCheckReservedLock = fake_reserved,
    .xFileControl = fake_control,
    .xSectorSize = fake_sector,
    .xDeviceCharacteristics = fake_device,
    .xShmMap = fake_shm_map,
    .xShmLock = fake_shm_lock,
    .xShmBarrier = fake_shm_barrier,
    .xShmUnmap = fake_shm_unmap,
};

static int fake_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
    int rc = disk.real->xOpen(disk.real, name, real_of(f), flags, ret_flags);

    (void)vfs;
    f->pMethods = real_of(f)->pMethods ? &methods : NULL;
    return rc;
}

void fake_disk_install(void)
{
    if (disk.real)
        return;
    disk.real = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.real;
    disk.vfs.zName = "fake";
    disk.vfs.szOsFile = (int)sizeof(struct fake_file) + disk.real->szOsFile;
    disk.vfs.xOpen = fake_open;
    (void)sqlite3_vfs_register(&disk.vfs, 1);
}

void fake_disk_fail_after(uint64_t n, int code)
{
    disk.fail_at = n ? disk.writes + n : 0;
    disk.code = code;
}

uint64_t fake_disk_writes(void)
{
    return disk.writes;
}

/* ---- memory ------------------------------------------------------------------------------------------------------------- */

static struct {
    sqlite3_mem_methods real;
    uint64_t count, fail_at;
} memory;

static int may_allocate(void)
{
    memory.count++;
    return !memory.fail_at || memory.count < memory.fail_at;
}

static void *fake_malloc(int n)
{
    return may_allocate() ? memory.real.xMalloc(n) : NULL;
}

static void *fake_realloc(void *p, int n)
{
    return may_allocate() ? memory.real.xRealloc(p, n) : NULL;
}

void fake_memory_install(void)
{
    sqlite3_mem_methods m;

    (void)sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory.real);
    m = memory.real;
    m.xMalloc = fake_malloc;
    m.xRealloc = fake_realloc;
    (void)sqlite3_config(SQLITE_CONFIG_MALLOC, &m);
}

void fake_memory_fail_after(uint64_t n)
{
    memory.fail_at = n ? memory.count + n : 0;
}

uint64_t fake_memory_count(void)
{
    return memory.count;
}
