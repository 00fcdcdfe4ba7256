/* A folder of a test's own under /tmp, for what is read from files. */
#ifndef SLUICE_TESTS_KUBE_FOLDER_H
#define SLUICE_TESTS_KUBE_FOLDER_H

/* Makes it; its path is folder() until folder_remove(), which takes away all that is in it. One at a time. */
void folder_make(void);
void folder_remove(void);
const char *folder(void);

/* The path of a file in it. Four may be in use at a time. */
const char *in_folder(const char *name);
/* Writes a file into it, in place of one of that name. */
void folder_put(const char *name, const char *text);

#endif
