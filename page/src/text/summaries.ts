/** The summaries of the built-in rules in French. A number in braces stands for a value that the rule inserts. */

const FRENCH: Readonly<Record<string, string>> = {
  "{0} HTTP requests a second fail": "{0} requêtes HTTP par seconde échouent",
  "{0} jobs wait in the queue {1}": "{0} jobs attendent dans la file {1}",
  "{0} jobs a second fail in the queue {1}": "{0} jobs par seconde échouent dans la file {1}",
  "One HTTP request in 20 takes longer than {0}": "Une requête HTTP sur 20 dure plus de {0}",
  "One production tick in 20 takes longer than {0}": "Un tick de production sur 20 dure plus de {0}",
  "No Socket.IO client is connected": "Aucun client Socket.IO n’est connecté",
  "{0} Socket.IO connections are open": "{0} connexions Socket.IO sont ouvertes",
  "{0} of the HTTP requests fail": "{0} des requêtes HTTP échouent",
  "No worker is connected to the queue {0}, and jobs wait": "Aucun worker n’est connecté à la file {0}, et des jobs attendent",
  "A job of the queue {0} has waited for {1}": "Un job de la file {0} attend depuis {1}",
  "A job of the queue {0} has been running for {1}": "Un job de la file {0} s’exécute depuis {1}",
  "Jobs of the queue {0} stalled": "Des jobs de la file {0} se sont bloqués",
  "{0} jobs of the queue {1} belong to a worker that is gone": "{0} jobs de la file {1} appartiennent à un worker disparu",
  "{0} delayed jobs of the queue {1} are overdue": "{0} jobs différés de la file {1} sont en retard",
  "A job scheduler of the queue {0} is {1} late": "Un planificateur de jobs de la file {0} a {1} de retard",
  "The queue {0} has been paused for an hour": "La file {0} est en pause depuis une heure",
  "The queue {0} has been paused for {1}": "La file {0} est en pause depuis {1}",
  "No job of the queue {0} begins for another {1}": "Aucun job de la file {0} ne démarrera avant {1}",
  "A parent in {0} has waited for its children for {1}": "Un job parent de {0} attend ses enfants depuis {1}",
  "{0} of the jobs {1} fail": "{0} des jobs {1} échouent",
  "Counts of the queue {0} may be too low": "Les comptes de la file {0} sont peut-être trop bas",
  "The production tick has stopped": "Le tick de production s’est arrêté",
  "The check {0} fails": "La vérification {0} échoue",
  "Vigie cannot read the source {0}": "Vigie ne peut pas lire la source {0}",
  "Nothing is heard of Vigie": "Vigie ne donne plus signe de vie",
  "{0} of the HTTP requests have no route of their own": "{0} des requêtes HTTP n’ont pas de route propre",
  "The metric {0} is full": "La métrique {0} est pleine",
  "The history of Vigie is not written to disk": "L’historique de Vigie n’est pas écrit sur le disque",
  "Alerting works": "Les alertes fonctionnent",
};

const PATTERNS = Object.entries(FRENCH).map(([english, french]) => {
  const literal = english.split(/\{\d\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return { pattern: new RegExp(`^${literal.join("(.+)")}$`, "s"), french };
});

/** The summary in French; as it is if it is not that of a built-in rule. */
export const french = (summary: string): string => {
  for (const { pattern, french } of PATTERNS) {
    const values = pattern.exec(summary);
    if (values !== null) return french.replace(/\{(\d)\}/g, (_, at: string) => values[Number(at) + 1] ?? "");
  }
  return summary;
};
