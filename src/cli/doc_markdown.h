/* The references that are made from the tables, as Markdown. */
#ifndef TL_CLI_DOC_MARKDOWN_H
#define TL_CLI_DOC_MARKDOWN_H

/* Prints the reference `what`: "registers", "registers-arm", "instructions", "instructions-arm", "sbi", "causes".
   Returns the exit status. */
int doc_markdown(const char *what);
/* Text of a table cell: a bar would end it. */
void doc_cell(const char *text);
#endif
