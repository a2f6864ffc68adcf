# Fills a freshly migrated Redmine for tests and prints what it made as one JSON line. Run by `rails runner`.

Setting.rest_api_enabled = '1'
Setting.login_required = '1'
Setting.default_language = 'en'
ActionMailer::Base.perform_deliveries = false

PASSWORD = 'correct horse battery'

admin = User.find_by_login('admin')
admin.password = admin.password_confirmation = PASSWORD
admin.must_change_passwd = false
admin.save!

def person(login, first, last)
  user = User.new(firstname: first, lastname: last, mail: "#{login}@example.com", language: 'en')
  user.login = login
  user.password = user.password_confirmation = PASSWORD
  user.save!
  user
end

ada = person('ada', 'Ada', 'Lovelace')
zoe = person('zoe', 'Zoë', 'Ångström')

trackers = Tracker.order(:position).to_a
modules = %w[issue_tracking time_tracking wiki]

support = Project.create!(name: 'Support', identifier: 'support', is_public: false, trackers: trackers, enabled_module_names: modules)
plant = Project.create!(name: 'Werk Nürnberg', identifier: 'werk-nuernberg', is_public: false, trackers: trackers, enabled_module_names: modules)

manager = Role.find_by(name: 'Manager')
reporter = Role.find_by(name: 'Reporter')
manager.update!(permissions: manager.permissions | %i[delete_issues delete_issue_notes edit_issue_notes])
[support, plant].each { |project| Member.create!(project: project, principal: ada, roles: [manager]) }
Member.create!(project: support, principal: zoe, roles: [reporter])

field = IssueCustomField.create!(name: 'Customer reference', field_format: 'string', is_for_all: true, is_filter: true, trackers: trackers)

subjects = [
  'Printer on the third floor prints blank pages', 'Zugang für neue Kollegin einrichten', '請求書のPDFが文字化けする',
  'VPN drops every full hour', 'Écran bleu après la mise à jour', 'Отчёт за март не сходится', 'Search ignores umlauts: Müller / Muller',
  'Order 4711 was shipped twice', 'Password reset mail never arrives', 'واجهة التطبيق لا تدعم اللغة العربية', 'Export hangs at 99 %',
  'Coffee machine reports "E-17" 🫠', 'Invoice shows <b>bold</b> & broken markup', "Name with an apostrophe: O'Brien", 'Calendar is one day off',
]

statuses = IssueStatus.order(:position).to_a
priorities = IssuePriority.order(:position).to_a
people = [admin, ada]

issues = (1..30).map do |number|
  issue = Issue.new(
    project: number % 5 == 0 ? plant : support,
    tracker: trackers[number % trackers.size],
    author: people[number % 2],
    subject: "#{subjects[(number - 1) % subjects.size]}#{number > subjects.size ? ' (again)' : ''}",
    description: "Reported by customer #{number}.\n\nWas ich tat: nichts Besonderes. Was geschah: s. o. — bitte prüfen ✓",
    priority: priorities[number % priorities.size],
    assigned_to: number % 3 == 0 ? ada : nil,
    due_date: number % 4 == 0 ? Date.new(2027, 1, number % 28 + 1) : nil,
    done_ratio: (number % 10) * 10
  )
  issue.custom_field_values = { field.id.to_s => "REF-#{1000 + number}" }
  issue.status = number <= 4 ? statuses.find(&:is_closed?) : statuses[number % 2]
  issue.save!
  # Distinct times make the order of pages checkable.
  moment = Time.utc(2026, 10, 1, 8, 0, 0) + (number * 3600)
  issue.update_columns(created_on: moment, updated_on: moment + (number % 7) * 60)
  issue
end

first = Issue.find(issues.first.id)
first.init_journal(ada, "Ich habe es mir angesehen: Trommel ist leer.\nReplacement ordered.")
first.save!
Journal.create!(journalized: first, user: admin, notes: 'Thank you!')
Attachment.create!(container: first, author: ada, file: StringIO.new("line one\nZeile zwei äöü\n"), filename: 'notes.txt', content_type: 'text/plain')

[admin, ada, zoe].each(&:api_key)

puts({
  version: Redmine::VERSION.to_s,
  password: PASSWORD,
  users: [admin, ada, zoe].map { |user| { login: user.login, id: user.id, name: user.name } },
  projects: [support, plant].map { |project| { id: project.id, identifier: project.identifier, name: project.name } },
  issues: issues.size,
  first_issue: first.id
}.to_json)
